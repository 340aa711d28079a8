"""Beside what was spent: the stretch before, to compare with, and where this month is going."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.question import CostQuestion, day_of, midnight
from sessions_app.rules.history import to_hour

LOOK_BACK_DAYS = 14
FEWEST_DAYS = 3
"""Whole days with something known: fewer say nothing about the next ones."""
BAND = 1.28
"""Standard deviations: four months of five end inside, if days are alike and independent."""


class Before(NamedTuple):
    """The stretch of the same length just before, up to the same moment of its last day."""

    microusd: int
    first_day: date
    last_day: date


class Forecast(NamedTuple):
    """This month, in the reader's days.  `low` and `high` are the ends of the band; money in micro-dollars."""

    month: date
    so_far: int
    expected: int
    low: int
    high: int
    days_known: int


def before(asked: CostQuestion, now: datetime) -> Before | None:
    """None when the stretch has no beginning, for then nothing lies before it."""
    if asked.first_day is None or asked.start is None:
        return None
    last = asked.last_day or now.astimezone(asked.tz).date()
    length = timedelta(days=(last - asked.first_day).days + 1)
    is_over = asked.end is not None and asked.end <= now
    upto = midnight(asked.first_day, asked.tz) if is_over else now - length
    earlier = asked._replace(start=midnight(asked.first_day - length, asked.tz), end=upto)
    with opened() as ledger:
        spent = ledger.spent(earlier.first_hour, earlier.end_hour, earlier.only)
    return Before(spent, asked.first_day - length, last - length)


def forecast(asked: CostQuestion, now: datetime) -> Forecast | None:
    """Of what the filters select, whatever the stretch; None when too few days are known."""
    today = now.astimezone(asked.tz).date()
    month, next_month = month_of(today)
    first = min(month, today - timedelta(days=LOOK_BACK_DAYS))
    days = spent_by_day(asked._replace(start=midnight(first, asked.tz), end=None), now)
    whole = _whole_days(days, today)
    if len(whole) < FEWEST_DAYS:
        return None
    so_far = sum(spent for day, spent in days.items() if day >= month)
    left = (midnight(next_month, asked.tz) - now) / timedelta(days=1)
    rest, spread = fmean(whole) * left, BAND * stdev(whole) * sqrt(max(left, 0))
    return Forecast(
        month,
        so_far,
        expected=round(so_far + rest),
        low=round(so_far + max(0.0, rest - spread)),
        high=round(so_far + rest + spread),
        days_known=len(whole),
    )


def month_of(day: date) -> tuple[date, date]:
    """The first days of its month and of the next."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def spent_by_day(asked: CostQuestion, now: datetime) -> dict[date, int]:
    """Micro-dollars of what the question selects, up to now, by the reader's days; days without spend left out."""
    with opened() as ledger:
        hours = ledger.select(asked.first_hour, to_hour(now) + 1, asked.only).hours
    days: dict[date, int] = {}
    for hour, spent in hours:
        day = day_of(hour, asked.tz)
        days[day] = days.get(day, 0) + spent.total
    return days


def _whole_days(days: Mapping[date, int], today: date) -> list[int]:
    """Each of the last days before today, days without spend included, from the first on that something is known of."""
    known = [day for day in days if today - timedelta(days=LOOK_BACK_DAYS) <= day < today]
    if not known:
        return []
    return [days.get(today - timedelta(days=back), 0) for back in range(1, (today - min(known)).days + 1)]
