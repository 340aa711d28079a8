"""Whose turn it is.  An account is its own queue: a row that is due, claimed by a conditional update."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from sessions_app.models import Account

LEASE = timedelta(seconds=60)
"""Longer than a sweep may take; a killed worker's account is free again after it."""


def claim_next(now: datetime) -> Account | None:
    """One account that is due, ours until we release it; None when there is none, or others were faster."""
    due = Account.objects.filter(_is_due(now)).order_by(F("next_sweep_at").asc(nulls_first=True))
    for account in due[:5]:
        won = Account.objects.filter(_is_due(now), pk=account.pk).update(lease_until=now + LEASE)
        if won:
            return account
    return None


def release(account: Account, next_sweep_at: datetime, **columns: object) -> None:
    """Give the account back, with when it is due again and what the sweep learned."""
    Account.objects.filter(pk=account.pk).update(lease_until=None, next_sweep_at=next_sweep_at, **columns)


def _is_due(now: datetime) -> Q:
    waits = Q(next_sweep_at=None) | Q(next_sweep_at__lte=now)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    return Q(is_active=True) & waits & free
