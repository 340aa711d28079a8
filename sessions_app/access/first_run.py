"""What a floor needs before anybody can stand on it: an admin, and the account that is watched."""

import os

import xxhash
from django.conf import settings
from django.contrib.auth.models import User

from sessions_app.models import Account

from .links import make_token


def prepare(base_address: str) -> list[str]:
    """Makes the first admin and the account of the environment's key; returns how to sign in, in lines."""
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
    """The account of the key in the environment is on the floor; the other one (simulator or cloud) rests.

    Identity is the address, not the key: a new key for the same address is a rotation.
    """
    slug = (
        "simulator"
        if settings.SIMULATOR
        else f"env-{xxhash.xxh3_64_hexdigest(settings.BROWSER_USE_BASE_URL.encode())}"
    )
    account, _ = Account.objects.update_or_create(
        slug=slug,
        defaults={
            "base_url": settings.BROWSER_USE_BASE_URL,
            "api_key": settings.BROWSER_USE_API_KEY,
            "is_simulator": settings.SIMULATOR,
            "is_active": True,
            "next_sweep_at": None,
            "lease_until": None,
            "next_reconcile_at": None,
        },
        create_defaults={
            "name": "Simulator" if settings.SIMULATOR else "Browser Use Cloud",
            "base_url": settings.BROWSER_USE_BASE_URL,
            "api_key": settings.BROWSER_USE_API_KEY,
            "is_simulator": settings.SIMULATOR,
        },
    )
    Account.objects.exclude(pk=account.pk).update(is_active=False)
    return account


def _any_admin() -> User:
    """The longest-standing active admin; one named `admin`, without a password, if there is none."""
    users = User.objects
    admin = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return admin or users.create_superuser("admin")
