"""Accounts in the settings, by one button each: paused, resumed, tried."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from sessions_app.access import accounts, key_check
from sessions_app.models import Account
from sessions_app.upstream.errors import UpstreamError
from sessions_app.views import account_words as said
from sessions_app.views.guards import View, needs


class Request(HttpRequest):
    """As our middleware leaves it: somebody is signed in, and htmx is told from a page."""

    user: User
    htmx: HtmxDetails


type Act = Callable[[Request, str], HttpResponse]


def by_button(act: Act) -> View:
    """For who may manage, by POST.  A GET (somebody had to sign in anew in between) leads to the account's page."""

    @needs("manage")
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(act)
    def guarded(request: Request, slug: str) -> HttpResponse:
        return act(request, slug) if request.method == "POST" else redirect("settings_account", slug)

    return guarded


def account_or_404(slug: str) -> Account:
    found = Account.objects.filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


@by_button
def pause(request: Request, slug: str) -> HttpResponse:
    found = account_or_404(slug)
    if accounts.pause(request.user, found, timezone.now()):
        messages.success(request, f"“{found.name}” is paused. Its sessions go on running, unwatched.")
    return redirect("settings_account", slug)


@by_button
def resume(request: Request, slug: str) -> HttpResponse:
    found = account_or_404(slug)
    if accounts.resume(request.user, found):
        messages.success(request, f"“{found.name}” is read again.")
    return redirect("settings_account", slug)


@by_button
def test(request: Request, slug: str) -> HttpResponse:
    """What the stored key opens, now.  A good answer also ends the wait after a failure."""
    found = account_or_404(slug)
    try:
        opened = key_check.look(found.base_url, found.api_key)
    except UpstreamError as error:
        messages.error(request, said.failed(error))
    else:
        accounts.tested(request.user, found, opened)
        messages.success(request, said.opened(opened))
    return redirect("settings_account", slug)
