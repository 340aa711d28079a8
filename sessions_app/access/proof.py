"""That it is really you: who changes a key has signed in, or said their password, a short while ago."""

import time

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

FRESH_S = 15 * 60
TRIES, TRIES_PER_S = 5, 5 * 60
_KEY = "proved_at"


def is_fresh(request: HttpRequest) -> bool:
    """Whether this very sign-in was proved within FRESH_S."""
    proved_at = request.session.get(_KEY, 0)
    return isinstance(proved_at, int | float) and 0 <= time.time() - proved_at < FRESH_S


def prove(request: HttpRequest, user: User, password: str) -> str:
    """Take the password as a proof; "" when it is right, else what is wrong, in words."""
    if not user.has_usable_password():
        return "You have no password yet. Set one under your name, or sign in anew by a link; then come back."
    if not _may_try(user):
        return "Too many wrong passwords. Wait five minutes, then try again."
    if not user.check_password(password):
        return "That is not your password. Your own is meant, by which you sign in here."
    cache.delete(_tries_key(user))
    _note(request)
    return ""


@receiver(user_logged_in)
def _signed_in(request: HttpRequest | None = None, **_: object) -> None:
    if request is not None and hasattr(request, "session"):
        _note(request)


def _note(request: HttpRequest) -> None:
    request.session[_KEY] = time.time()


def _may_try(user: User) -> bool:
    """Counts; with the cache away it lets everybody try, as at the door."""
    key = _tries_key(user)
    cache.add(key, 0, TRIES_PER_S)
    try:
        return bool(cache.incr(key) <= TRIES)
    except ValueError:  # its time ran out between the two lines
        return True


def _tries_key(user: User) -> str:
    return f"proof-tries:{user.pk}"
