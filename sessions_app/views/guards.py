"""Who may open a page.  A refusal says in words what is missing; templates/403.html shows it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from sessions_app.models import FloorPermission

WORDS: dict[str, str] = dict(FloorPermission._meta.permissions)

type View = Callable[..., HttpResponseBase]


def needs(codename: str) -> Callable[[View], View]:
    """A view for people with the permission `sessions_app.<codename>`.  Raises PermissionDenied for others."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(f"sessions_app.{codename}"):
                words = WORDS[codename].removeprefix("May ")
                raise PermissionDenied(f"This is for people who may {words}.")
            return view(request, *args, **kwargs)

        return guarded

    return guard
