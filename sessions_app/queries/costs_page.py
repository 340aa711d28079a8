"""The costs page's questions: which stretch of time, in whose days, sorted how."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.dateparse import parse_date

RANGES = (("today", "Today"), ("7d", "7 days"), ("30d", "30 days"), ("all", "All time"))
OWN = "own"
USUAL_RANGE, USUAL_SORT = "7d", "cost"
SORTS = ("cost", "created", "title", "steps")
PAGE = 50
LAST_PAGE = 10_000
FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Years between which days can be turned into moments in every zone."""

BARS_WIDTH, BARS_HEIGHT, MOST_BARS = 1000, 100, 92


class CostQuestion(NamedTuple):
    """What the address bar asks for.  `start` is included, `end` is not; None is open."""

    range: str
    tz: ZoneInfo
    start: datetime | None
    end: datetime | None
    first_day: date | None
    last_day: date | None
    sort: str
    descending: bool
    page: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE


class Bar(NamedTuple):
    """A day of the chart; a day's parts stand on each other, drawn from y downwards by height."""

    day: date
    x: float
    width: float
    parts: tuple[tuple[str, float, float], ...]
    total_microusd: int


def question(query: Mapping[str, str], zone: str, now: datetime) -> CostQuestion:
    """Reads the query tolerantly: what makes no sense falls back to the usual."""
    tz = _zone(query.get("tz") or zone)
    chosen = query.get("range", "")
    first, last = _day(query.get("from", "")), _day(query.get("to", ""))
    today = now.astimezone(tz).date()
    if first or last:
        chosen = OWN
        first, last = (last, first) if first and last and first > last else (first, last)
    else:
        chosen = chosen if chosen in dict(RANGES) else USUAL_RANGE
        days = {"today": 1, "7d": 7, "30d": 30}.get(chosen)
        first, last = (today - timedelta(days=days - 1) if days else None), None
    sort = query.get("sort", "")
    return CostQuestion(
        range=chosen,
        tz=tz,
        start=_midnight(first, tz),
        end=_midnight(last + timedelta(days=1), tz) if last else None,
        first_day=first,
        last_day=last,
        sort=sort if sort in SORTS else USUAL_SORT,
        descending=query.get("dir", "asc" if sort == "title" else "desc") != "asc",
        page=_page(query.get("page", "")),
    )


def bars(days: Sequence, first: date | None, last: date | None) -> tuple[Bar, ...]:
    """The chart of `costs.report.DayCost`s: one bar a day, days without spend included, at most the last MOST_BARS."""
    if not days:
        return ()
    by_day = {day.day: day for day in days}
    first, last = max(first or min(by_day), date(FIRST_YEAR, 1, 1)), last or max(by_day)
    shown = [last - timedelta(days=back) for back in range(min((last - first).days + 1, MOST_BARS))][::-1]
    top = max([_height_of(by_day[day]) for day in shown if day in by_day] + [1])
    step = BARS_WIDTH / max(len(shown), 7)
    return tuple(_bar(day, by_day.get(day), index * step, step, top) for index, day in enumerate(shown))


def _height_of(cost) -> int:
    return max(cost.total_microusd, sum(max(0, part) for _, part in _parts(cost)))


def _bar(day: date, cost, x: float, step: float, top: int) -> Bar:
    width = round(step * 0.72, 1)
    if cost is None:
        return Bar(day, round(x + step * 0.14, 1), width, (), 0)
    parts, ground = [], float(BARS_HEIGHT)
    for name, microusd in _parts(cost):
        height = round(max(0, microusd) / top * BARS_HEIGHT, 2)
        ground -= height
        parts.append((name, round(ground, 2), height))
    return Bar(day, round(x + step * 0.14, 1), width, tuple(parts), cost.total_microusd)


def _parts(cost) -> list[tuple[str, int]]:
    """The split, and what the total has beyond it: the vendor's parts need not add up to its total."""
    named = [("browser", cost.browser_microusd), ("proxy", cost.proxy_microusd), ("llm", cost.llm_microusd)]
    return [*named, ("rest", cost.total_microusd - sum(part for _, part in named))]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def _midnight(day: date | None, tz: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, tz).astimezone(UTC) if day else None


def _page(text: str) -> int:
    usable = text.isascii() and text.isdigit() and len(text) < 6
    return min(max(int(text), 1), LAST_PAGE) if usable else 1
