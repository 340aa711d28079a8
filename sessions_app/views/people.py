"""Signing in without a password."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions_app.access.links import redeem


@login_not_required
@never_cache
@require_safe
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The printed one-time link.  A spent one says so, and leaves whoever is signed in signed in."""
    user = redeem(token)
    if user is not None:
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    elif not request.user.is_authenticated:
        messages.error(
            request, "This link was used already, or is too old. Start Watchfloor again for a new one."
        )
        return redirect("account_login")
    return redirect("/")
