"""From an account to somebody who can ask for it."""

from typing import Literal

from django.conf import settings

from sessions_app.models import Account
from sessions_app.upstream.client import Client

Purpose = Literal["stop", "watched", "live", "settle", "reconcile", "facts", "messages"]
"""What a request is for.  Earlier ones have right of way over later ones when the account's budget is short."""


def client_of(account: Account, purpose: Purpose = "live") -> Client:
    """Cheap: connections are pooled per process, by address and key."""
    return Client(account.base_url, account.api_key, proxy=settings.UPSTREAM_PROXY)
