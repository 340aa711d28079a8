"""From an account to somebody who can ask for it, within its budget."""

from functools import cache

from django.conf import settings

from sessions_app.live.connection import client as redis_client
from sessions_app.models import Account
from sessions_app.upstream.budget import Budget, Purpose, key_of
from sessions_app.upstream.client import Client
from sessions_app.upstream.meter import Metered


def client_of(account: Account, purpose: Purpose = "live") -> Client:
    """Whose every request counts for that purpose.  Raises OverBudget where the budget is used up; a stop never does.

    Cheap: connections are pooled per process, by address and key.
    """
    meter = Metered(budget_of(account.pk), purpose)
    return Client(account.base_url, account.api_key, proxy=settings.UPSTREAM_PROXY, meter=meter)


def budget_of(account_pk: int) -> Budget:
    """The account's, shared with all other workers."""
    return _budget(settings.REDIS_URL, account_pk)


@cache
def _budget(_redis_url: str, account_pk: int) -> Budget:
    return Budget(redis_client(), key_of(account_pk))
