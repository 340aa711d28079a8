"""This month added up day by day, where it is going, and the budgets that it should stay below: numbers for an SVG."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from sessions_app.costs.budgets import Standing
from sessions_app.costs.chart import PLOT_BOTTOM, PLOT_TOP, Tick, scale
from sessions_app.costs.outlook import Forecast, month_of, spent_by_day
from sessions_app.costs.question import CostQuestion, midnight
from sessions_app.models import Budget

IN_SIGHT = 3
"""A budget of more than so many times what the month may come to is not drawn: it would press the line to the ground."""
WEEK = 7

type Point = tuple[float, float]
"""In percent of the area, from its upper left."""


class Limit(NamedTuple):
    name: str
    amount: int
    y: float


class Label(NamedTuple):
    words: str
    x: float


class CourseDay(NamedTuple):
    day: date
    spent: int
    so_far: int


class Course(NamedTuple):
    """Paths are in a box of 1000 by 100; empty without a forecast."""

    month: date
    days: tuple[CourseDay, ...]
    """From the first of the month to today."""
    line: str
    area: str
    ahead: str
    band: str
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    limits: tuple[Limit, ...]

    @property
    def so_far(self) -> int:
        return self.days[-1].so_far


class _Area(NamedTuple):
    """A month wide, and `top` micro-dollars high."""

    begin: datetime
    end: datetime
    top: int

    def point(self, at: datetime, microusd: int) -> Point:
        height = max(microusd, 0) / self.top * (PLOT_BOTTOM - PLOT_TOP)
        return (at - self.begin) / (self.end - self.begin) * 100, PLOT_BOTTOM - height


def course(
    asked: CostQuestion, now: datetime, expected: Forecast | None, standings: Iterable[Standing]
) -> Course | None:
    """Of what the filters select, whatever the stretch; None while nothing was spent this month."""
    today = now.astimezone(asked.tz).date()
    month, following = month_of(today)
    begin, end = midnight(month, asked.tz), midnight(following, asked.tz)
    days = _days(spent_by_day(asked._replace(start=begin, end=None), now), month, today)
    if not any(one.spent for one in days):
        return None
    highest = max([one.so_far for one in days] + ([expected.high] if expected else []))
    budgets = [one.budget for one in standings if one.filters == asked.only and one.budget.period == "month"]
    budgets = [one for one in budgets if one.amount_microusd <= IN_SIGHT * highest]
    top, ticks = scale(max([highest] + [one.amount_microusd for one in budgets]))
    area = _Area(begin, end, top)
    evenings = [min(midnight(one.day + timedelta(days=1), asked.tz), now) for one in days]
    line = [area.point(at, one.so_far) for at, one in zip(evenings, days, strict=True)]
    return Course(
        month,
        days,
        line=_path([area.point(begin, 0), *line]),
        area=_path([area.point(begin, 0), *line, (line[-1][0], PLOT_BOTTOM)], closed=True),
        ahead=_path([line[-1], area.point(end, expected.expected)] if expected else []),
        band=_path(
            [line[-1], area.point(end, expected.high), area.point(end, expected.low)] if expected else [],
            closed=True,
        ),
        ticks=ticks,
        labels=tuple(_labels(month, following)),
        limits=tuple(_limit(area, one) for one in budgets),
    )


def _limit(area: _Area, budget: Budget) -> Limit:
    _, y = area.point(area.begin, budget.amount_microusd)
    return Limit(budget.name, budget.amount_microusd, round(y, 3))


def _days(spent: dict[date, int], first: date, last: date) -> tuple[CourseDay, ...]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    sums = [spent.get(day, 0) for day in days]
    return tuple(CourseDay(*one) for one in zip(days, sums, accumulate(sums), strict=True))


def _path(points: Sequence[Point], *, closed: bool = False) -> str:
    if not points:
        return ""
    steps = "L".join(f"{x * 10:.2f} {y:.2f}" for x, y in points)
    return f"M{steps}Z" if closed else f"M{steps}"


def _labels(month: date, following: date) -> Iterable[Label]:
    length = (following - month).days
    for number in range(0, length, WEEK):
        day = month + timedelta(days=number)
        yield Label(f"{day.day} {day:%b}", round(number / length * 100, 3))
