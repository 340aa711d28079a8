"""Goal 4: the live floor with fifty rows, everything warm.  CPU per request, through every middleware."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from bench.harness import Row, below, medians, within
from sessions_app.access.roles import ensure_roles
from sessions_app.queries import rows as rendering
from tests.support.factories import make_account, make_sessions

SHOWN, REQUESTS = 50, 20


def hello(request: HttpRequest) -> HttpResponse:
    """What a signed-in page costs before it does anything."""
    return HttpResponse(f"Hello, {request.user.get_username()}")


urlpatterns = [path("", hello)]


def rows(database: str) -> Iterator[Row]:
    with ExitStack() as stack:
        stack.enter_context(override_settings(ALLOWED_HOSTS=["testserver"]))
        client = _signed_in()
        make_sessions(SHOWN, account=make_account())
        page = _get(client)
        seconds = medians({"page": page, "naive": _naive(page), "hello": _hello(page)})
    each = {name: value / REQUESTS * 1e3 for name, value in seconds.items()}
    number = f"{each['page']:.2f} ms CPU"
    what = f"page of {SHOWN} rows, every row rendered at every request {each['naive']:.1f} ms"
    yield below(4, what, number, each["naive"] / each["page"], 30)
    yield within(
        4, f"page of {SHOWN} rows, a hello {each['hello']:.2f} ms", number, each["page"] / each["hello"], 2
    )


def _signed_in() -> Client:
    ensure_roles()
    user = User.objects.create_user("bench")
    user.groups.add(Group.objects.get(name="admin"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _get(client: Client) -> Callable[[], None]:
    def requests() -> None:
        for _ in range(REQUESTS):
            assert client.get("/").status_code == 200

    return requests


def _naive(page: Callable[[], None]) -> Callable[[], None]:
    """The same page, whose rows nobody keeps."""

    def requests() -> None:
        keep, rendering._keep = rendering._keep, lambda key, row: None
        rendering.forget()
        try:
            page()
        finally:
            rendering._keep = keep

    return requests


def _hello(page: Callable[[], None]) -> Callable[[], None]:
    def requests() -> None:
        with override_settings(ROOT_URLCONF="bench.goal_04_page"):
            page()

    return requests
