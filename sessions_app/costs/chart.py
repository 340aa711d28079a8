"""The chart of spend over time: plain numbers for an SVG, in percent of its area, so that it fits any screen.

A stretch of two days is drawn by the hour, one of three months by the day, a longer one by the month.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sessions_app.costs.question import HOUR_S, midnight
from sessions_app.costs.report import Report
from sessions_app.costs.spend import Spend

MOST_DAYS = 92
FEWEST_SLOTS = 7
"""So that a single bar does not fill the page."""
MOST_LABELS = 8
PLOT_TOP, PLOT_BOTTOM = 6.0, 88.0
BAR_SHARE = 0.72
"""Of a slot; the rest is air."""


class Part(NamedTuple):
    name: str
    y: float
    height: float
    microusd: int


class Bar(NamedTuple):
    """One hour, day or month.  `first` and `last` are the days that it leads to."""

    words: str
    x: float
    width: float
    middle: float
    parts: tuple[Part, ...]
    spend: Spend
    label: str
    is_minor: bool
    """Whether its label goes where there is little room."""
    first: date
    last: date


class Tick(NamedTuple):
    """A line across a chart.  `level`: in micro-dollars, or whatever else the chart counts."""

    y: float
    level: int


class Chart(NamedTuple):
    unit: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]

    @property
    def table_unit(self) -> str:
        """Of the table below: nobody reads three days hour by hour, nor three years day by day."""
        return "month" if self.unit == "month" else "day"


class Line(NamedTuple):
    """Of the table below: a day or a month."""

    words: str
    first: date
    last: date
    spend: Spend


class _Slot(NamedTuple):
    words: str
    label: str
    first: date
    last: date
    spend: Spend


def chart(answer: Report, now: datetime) -> Chart | None:
    """None when nothing was spent."""
    if not answer.days:
        return None
    first, last = _ends(answer, now)
    days = (last - first).days + 1
    unit = "hour" if days <= 2 else "day" if days <= MOST_DAYS else "month"
    slots = {"hour": _by_hour, "day": _by_day, "month": _by_month}[unit](answer, first, last)
    top, ticks = scale(max(_height(slot.spend) for slot in slots))
    return Chart(unit, tuple(_bars(slots, top)), ticks)


def table(answer: Report, drawn: Chart | None) -> tuple[Line, ...]:
    """What is drawn as figures, newest first: months where months are drawn, else days; without those of no spend."""
    if drawn and drawn.table_unit == "month":
        lines = [Line(bar.words, bar.first, bar.last, bar.spend) for bar in drawn.bars if any(bar.spend)]
    else:
        lines = [Line(f"{day:%a} {day.day} {day:%b %Y}", day, day, spend) for day, spend in answer.days]
    return tuple(lines[::-1])


def _ends(answer: Report, now: datetime) -> tuple[date, date]:
    """From the first day asked about to today or the last one, with whatever was booked outside."""
    asked, today = answer.asked, now.astimezone(answer.asked.tz).date()
    first = max(asked.first_day or answer.days[0].day, answer.days[0].day - timedelta(days=400))
    last = asked.last_day or today
    return min(first, answer.days[0].day), max(min(last, today), answer.days[-1].day)


def _by_hour(answer: Report, first: date, last: date) -> list[_Slot]:
    tz, spent = answer.asked.tz, dict(answer.hours)
    ends = (midnight(first, tz), midnight(last + timedelta(days=1), tz))
    from_hour, to_hour = (-int(-end.timestamp() // HOUR_S) for end in ends)
    slots = []
    for hour in range(from_hour, to_hour):
        at = datetime.fromtimestamp(hour * HOUR_S, UTC).astimezone(tz)
        words = f"{at:%a} {at.day} {at:%b, %H:%M}"
        slots.append(_Slot(words, f"{at:%H:%M}", at.date(), at.date(), spent.get(hour, Spend())))
    return slots


def _by_day(answer: Report, first: date, last: date) -> list[_Slot]:
    spent = {day.day: day.spend for day in answer.days}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        _Slot(f"{day:%A}, {day.day} {day:%B %Y}", f"{day.day} {day:%b}", day, day, spent.get(day, Spend()))
        for day in days
    ]


def _by_month(answer: Report, first: date, last: date) -> list[_Slot]:
    spent: dict[date, list[Spend]] = {}
    for day in answer.days:
        spent.setdefault(day.day.replace(day=1), []).append(day.spend)
    slots, month = [], first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        ends = max(month, first), min(following - timedelta(days=1), last)
        slots.append(_Slot(f"{month:%B %Y}", f"{month:%b %Y}", *ends, Spend.sum_of(spent.get(month, ()))))
        month = following
    return slots


class Share(NamedTuple):
    """A part of a total, in percent of the sum of the parts."""

    name: str
    x: float
    width: float
    microusd: int


def split(spend: Spend) -> tuple[Share, ...]:
    """The parts of `spend` beside each other."""
    parts, x = list(_parts(spend)), 0.0
    whole, shares = max(sum(height for _, height in parts), 1), []
    for name, height in parts:
        width = height / whole * 100
        shares.append(Share(name, round(x, 3), round(width, 3), getattr(spend, name)))
        x += width
    return tuple(shares)


def _height(spend: Spend) -> int:
    return max(spend.total, sum(microusd for _, microusd in _parts(spend)))


def _parts(spend: Spend) -> Iterable[tuple[str, int]]:
    """From the ground up; a part that fell has no height."""
    names = ("llm", "browser", "proxy", "rest")
    return [(name, max(0, getattr(spend, name))) for name in names]


def _bars(slots: list[_Slot], top: int) -> Iterable[Bar]:
    step = 100 / max(len(slots), FEWEST_SLOTS)
    every = -(-len(slots) // MOST_LABELS)
    for number, slot in enumerate(slots):
        x = number * step
        nth, between = divmod(len(slots) - 1 - number, every)  # from the newest: that one has its label
        width = step * BAR_SHARE
        yield Bar(
            slot.words,
            round(x + (step - width) / 2, 3),
            round(width, 3),
            round(x + step / 2, 3),
            tuple(_stack(slot.spend, top)),
            slot.spend,
            "" if between else slot.label,
            nth % 2 == 1,
            slot.first,
            slot.last,
        )


def _stack(spend: Spend, top: int) -> Iterable[Part]:
    ground = PLOT_BOTTOM
    for name, microusd in _parts(spend):
        height = microusd / top * (PLOT_BOTTOM - PLOT_TOP)
        ground -= height
        if microusd:
            yield Part(name, round(ground, 3), round(height, 3), microusd)


def scale(largest: int) -> tuple[int, tuple[Tick, ...]]:
    """A round top for a largest figure, and two to four round lines up to it."""
    largest = max(largest, 1)
    step = next(step for step in _round_numbers() if step * 4 >= largest)
    top = -(-largest // step) * step
    plot = PLOT_BOTTOM - PLOT_TOP
    return top, tuple(
        Tick(round(PLOT_BOTTOM - level / top * plot, 3), level) for level in range(0, top + 1, step)
    )


def _round_numbers() -> Iterable[int]:
    unit = 1
    while True:
        yield from (unit, 2 * unit, 5 * unit)
        unit *= 10
