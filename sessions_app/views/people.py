"""Signing in without a password."""

from typing import NoReturn

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions_app.access import audit
from sessions_app.access.links import redeem


@login_not_required
@never_cache
@require_safe
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The printed one-time link.  A spent one says so, and leaves whoever is signed in signed in."""
    user = redeem(token)
    if user is not None:
        login(request, user)
        audit.record(user, "person.signed_in", by="link")
        if not user.has_usable_password():
            messages.info(request, "That link is spent now. Set a password under your name, to come back by.")
    elif not request.user.is_authenticated:
        return render(request, "account/link_spent.html", status=410)
    return redirect("/")


@login_not_required
def closed(request: HttpRequest) -> NoReturn:
    """A door of the sign-in library that this product does not use."""
    raise Http404
