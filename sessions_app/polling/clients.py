"""From an account to somebody who can ask for it."""

from django.conf import settings

from sessions_app.models import Account
from sessions_app.upstream.client import Client


def client_of(account: Account) -> Client:
    """Cheap: connections are pooled per process, by address and key."""
    return Client(account.base_url, account.api_key, proxy=settings.UPSTREAM_PROXY)
