"""What a floor needs before anybody can stand on it: an admin, and the account that is watched."""

import os
from typing import Any

import xxhash
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from sessions_app.models import Account
from sessions_app.models.account import ENVIRONMENT_PREFIX, SIMULATOR_SLUG

from .audit import record
from .links import make_token


def prepare(base_address: str) -> list[str]:
    """Makes the first admin and the account of the environment's key, if there is one; returns how to sign in."""
    if settings.BROWSER_USE_API_KEY:
        ensure_account()
    username = os.environ.get("DJANGO_SUPERUSER_USERNAME", "").strip()
    password = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
    if username and password:
        ensure_admin(username, password, os.environ.get("DJANGO_SUPERUSER_EMAIL", "").strip())
        return [f"Sign in as {username} with the password from DJANGO_SUPERUSER_PASSWORD."]
    link = f"{base_address}/accounts/link/{make_token(_any_admin())}/"
    return ["Sign in with this link; it works once, within a day:", link]


def ensure_admin(username: str, password: str, email: str) -> User:
    """The named admin exists and signs in with that password: the environment is the truth about both."""
    user, _ = User.objects.get_or_create(username=username)
    user.is_staff = user.is_superuser = user.is_active = True
    user.email = email or user.email
    if not user.check_password(password):
        user.set_password(password)
    user.save()
    return user


def ensure_account() -> Account:
    """The account of the key in the environment is on the floor; former ones of the environment rest.

    Identity is the address, not the key: a new key for the same address is a rotation.  One that a person paused
    stays paused, and accounts that were made in the settings page are left alone.
    """
    with transaction.atomic():
        account, is_new = Account.objects.get_or_create(slug=_slug(), defaults=_given() | {"name": _name()})
        changed = not is_new and account.api_key != settings.BROWSER_USE_API_KEY
        twin = _twin(account)
        Account.objects.filter(pk=account.pk).update(
            **_given(),
            is_active=account.paused_at is None and twin is None,
            next_sweep_at=None,
            lease_until=None,
            next_reconcile_at=None,
            facts_due_at=None,
        )
        Account.objects.filter(_FROM_ENVIRONMENT).exclude(pk=account.pk).update(is_active=False)
        if changed:
            record(None, "key.rotated", account=account.slug, name=account.name, source="environment")
    account.refresh_from_db()
    return account


_FROM_ENVIRONMENT = Q(slug=SIMULATOR_SLUG) | Q(slug__startswith=ENVIRONMENT_PREFIX)


def _twin(account: Account) -> Account | None:
    """Somebody else's account with the same key: then that one is read, and not everything twice."""
    others = Account.objects.exclude(_FROM_ENVIRONMENT).exclude(pk=account.pk)
    same = (other for other in others if other.api_key == settings.BROWSER_USE_API_KEY)
    return next(same, None)


def _slug() -> str:
    if settings.SIMULATOR:
        return SIMULATOR_SLUG
    return ENVIRONMENT_PREFIX + xxhash.xxh3_64_hexdigest(settings.BROWSER_USE_BASE_URL.encode())


def _name() -> str:
    return "Simulator" if settings.SIMULATOR else "Browser Use Cloud"


def _given() -> dict[str, Any]:
    """What the environment says of its account, as columns."""
    return {
        "base_url": settings.BROWSER_USE_BASE_URL,
        "api_key": settings.BROWSER_USE_API_KEY,
        "is_simulator": settings.SIMULATOR,
    }


def _any_admin() -> User:
    """The longest-standing active admin; one named `admin`, without a password, if there is none."""
    users = User.objects
    admin = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return admin or users.create_superuser("admin")
