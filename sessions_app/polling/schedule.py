"""Whose turn it is.  An account is its own queue: a row that is due, claimed by a conditional update."""

import threading
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sessions_app.models import Account
from sessions_app.models.lease import holder, lapse_of_the_dead

LEASE = timedelta(seconds=3)
"""An account is free again after it when its worker is killed; at once, where others can tell that (`models.lease`).
A sweep that lasts longer extends it as it goes, and so does whoever waits for it (`turns`): one batch of requests may
take longer."""
EXTEND_BELOW = timedelta(seconds=2.2)
_one_at_a_time = threading.Lock()
"""The lease's end is also the holder's token: nobody may use the old one while it is replaced."""


class LeaseLost(Exception):
    """Somebody else has the account now: stop, and leave its row alone."""


def claim_next(now: datetime, *, well_only: bool = False) -> Account | None:
    """One account that is due, ours until we release it; None when there is none, or others were faster.

    `well_only`: none that failed last time.
    """
    lapse_of_the_dead(Account.objects.filter(is_active=True), now)
    due = Account.objects.filter(_is_due(now)).order_by(F("next_sweep_at").asc(nulls_first=True))
    if well_only:
        due = due.filter(failures=0)
    for account in due[:5]:
        if claim(account, now):
            return account
    return None


def claim(account: Account, now: datetime) -> bool:
    """Whether this account was due, and is ours now."""
    lease_until = now + LEASE
    won = Account.objects.filter(_is_due(now), pk=account.pk).update(
        lease_until=lease_until, lease_by=holder()
    )
    account.lease_until = lease_until
    return bool(won)


def extend(account: Account) -> None:
    """Keep what is ours for some more seconds.  Safe from any thread.  Raises LeaseLost."""
    now = timezone.now()
    if account.lease_until and account.lease_until - now >= EXTEND_BELOW:
        return
    lease_until = now + LEASE
    with _one_at_a_time:
        if not _ours(account).update(lease_until=lease_until):
            raise LeaseLost
        account.lease_until = lease_until


def note(account: Account, **columns: object) -> None:
    """Write what was learned so far, and keep the account.  Raises LeaseLost."""
    with _one_at_a_time:
        kept = _ours(account).update(**columns)
    if not kept:
        raise LeaseLost


def release(account: Account, next_sweep_at: datetime, **columns: object) -> bool:
    """Give the account back, with when it is due again and what the sweep learned; False if it was lost."""
    with _one_at_a_time:
        return bool(_ours(account).update(lease_until=None, next_sweep_at=next_sweep_at, **columns))


def _ours(account: Account) -> QuerySet[Account]:
    """The lease's end tells one holder from the next."""
    return Account.objects.filter(pk=account.pk, lease_until=account.lease_until)


def _is_due(now: datetime) -> Q:
    waits = Q(next_sweep_at=None) | Q(next_sweep_at__lte=now)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    return Q(is_active=True) & waits & free
