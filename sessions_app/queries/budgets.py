"""How the budgets of requests stand, for the settings page and /metrics.  They live in Redis."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import redis

from sessions_app.live.connection import client
from sessions_app.models import Account
from sessions_app.queries.shortage import Shortage, shortage_of
from sessions_app.upstream.budget import key_of
from sessions_app.upstream.standing import Standing, standing


class BudgetLine(NamedTuple):
    """One account's.  `standing` is None when Redis is away, or nothing was asked for yet."""

    account: Account
    standing: Standing | None
    shortage: Shortage | None
    limited_at: datetime | None

    @property
    def is_learned(self) -> bool:
        """Whether the vendor has ever refused, so that the rate means something."""
        return bool(self.standing and self.standing.ceiling_per_s)

    @property
    def sent(self) -> int:
        return sum(self.standing.sent.values()) if self.standing else 0


def budgets(now: datetime) -> tuple[BudgetLine, ...]:
    """Of all active accounts, by name.  One query."""
    accounts = Account.objects.filter(is_active=True).order_by("name", "id")
    return tuple(_line(account, now) for account in accounts)


def standings(accounts: Iterable[Account]) -> list[tuple[Account, Standing]]:
    """Of those that were asked for; none when Redis is away."""
    return [(account, stands) for account in accounts if (stands := _standing(account))]


def _line(account: Account, now: datetime) -> BudgetLine:
    stands = _standing(account)
    ago = stands.limited_ago_s if stands else None
    limited_at = None if ago is None else now - timedelta(seconds=ago)
    return BudgetLine(account, stands, shortage_of(account, now), limited_at)


def _standing(account: Account) -> Standing | None:
    try:
        return standing(client(), key_of(account.pk))
    except (redis.RedisError, OSError):
        return None
