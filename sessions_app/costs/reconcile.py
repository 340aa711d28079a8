"""What sessions are said to have cost, against what left the balance: the vendor's two words on the same money.

The balance is read each half minute, and its falls are booked to hours as costs are (`polling.balances`), so both are
compared over the same whole hours.  The first hour in which a balance was ever read is left out: it was not watched
from its beginning.  Their difference is shown, never explained away.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min, QuerySet, Sum

from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.question import CostQuestion
from sessions_app.models import Account, BalanceHour
from sessions_app.rules.history import from_hour, to_hour

SMALL_MICROUSD, SMALL_PART = 10_000, 100
"""A cent, or a hundredth of what was spent: a reading of the balance is half a minute older than that of a session."""


class Reconciled(NamedTuple):
    """One account's, between `since` and `until`.  Money in micro-dollars; `unread_hours`: in which nobody could read
    the balance, so that what fell then counts to the hour after."""

    account: str
    since: datetime
    until: datetime
    fell: int
    rose: int
    booked: int
    unread_hours: int

    @property
    def difference(self) -> int:
        """What left the balance beyond what sessions cost; negative when they cost more than left it."""
        return self.fell - self.booked

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= max(SMALL_MICROUSD, max(self.fell, self.booked) // SMALL_PART)


def reconciliation(asked: CostQuestion, now: datetime) -> list[Reconciled]:
    """Of each account whose balance is known for some of the stretch; none when a filter leaves out some of an
    account's sessions, for then there is nothing to compare with.  Two queries, and two for each account."""
    if any(facet != "account" for facet, _ in asked.only):
        return []
    found = (_reconciled(account, first, asked, now) for account, first in _known(asked))
    return [one for one in found if one is not None]


def _known(asked: CostQuestion) -> list[tuple[Account, int]]:
    """Accounts, and the first hour of each with a balance."""
    firsts = BalanceHour.objects.order_by().values("account_id").annotate(first=Min("hour"))
    begun = {row["account_id"]: row["first"] for row in firsts}
    wanted = [value for _, value in asked.only]
    accounts = Account.objects.filter(pk__in=begun).order_by("name")
    return [(one, begun[one.pk]) for one in accounts if not wanted or str(one.pk) in wanted]


def _reconciled(account: Account, begun: int, asked: CostQuestion, now: datetime) -> Reconciled | None:
    first = max(begun + 1, asked.first_hour or 0)
    end = min(to_hour(now) + 1, asked.end_hour or to_hour(now) + 1)
    hours = BalanceHour.objects.filter(account=account, hour__gte=first, hour__lt=end)
    moved = _sums(hours, ("fell_microusd", "rose_microusd")) | hours.aggregate(hours=Count("hour"))
    if not moved["hours"]:
        return None
    with opened() as ledger:
        booked = ledger.spent(first, end, [("account", str(account.pk))])
    return Reconciled(
        account.name,
        from_hour(first),
        min(from_hour(end), now),
        moved["fell_microusd"],
        moved["rose_microusd"],
        booked,
        end - first - moved["hours"],
    )


def _sums(rows: QuerySet, names: Iterable[str]) -> dict[str, int]:
    found = rows.aggregate(**{f"sum_{name}": Sum(name) for name in names})
    return {name: int(found[f"sum_{name}"] or 0) for name in names}
