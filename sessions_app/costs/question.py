"""The costs page's questions: which stretch of time, in whose days, of what, sorted how."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import unquote
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.dateparse import parse_date

from sessions_app.costs.outcome import OUTCOMES

RANGES = (("today", "Today"), ("7d", "7 days"), ("30d", "30 days"), ("all", "All time"))
OWN = "own"
USUAL_RANGE, USUAL_SORT = "7d", "cost"
SORTS = ("cost", "created", "title", "steps")
PAGE = 50
LAST_PAGE = 10_000
FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Years between which days can be turned into moments in every zone."""
HOUR_S = 3600

FACETS = {
    "model": "session__model",
    "profile": "session__profile_id",
    "workspace": "session__workspace_id",
    "country": "session__proxy_country",
    "account": "session__account_id",
    "status": "session__status",
}
"""What spend is divided by, and where a booking has it.  Also the names of the address bar's filters."""
UUID_FACETS = ("profile", "workspace")
OUTCOME = "outcome"
"""A filter as well, by the keys of `outcome.OUTCOMES`; no facet, for it is no column: several together decide it."""
FILTERS = (*FACETS, OUTCOME)
NONE = "none"
"""How the address bar spells "without a profile", "without a proxy", …"""


class CostQuestion(NamedTuple):
    """What the address bar asks for.  `start` is included, `end` is not; None is open."""

    range: str
    tz: ZoneInfo
    start: datetime | None
    end: datetime | None
    first_day: date | None
    last_day: date | None
    only: tuple[tuple[str, str], ...]
    """Filters, as (one of FILTERS, value)."""
    sort: str
    descending: bool
    page: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE

    @property
    def first_hour(self) -> int | None:
        """The first whole hour (since 1970) of the stretch: an hour belongs to the day in which it begins."""
        return _hour(self.start)

    @property
    def end_hour(self) -> int | None:
        """The first hour after the stretch."""
        return _hour(self.end)

    @property
    def is_everything(self) -> bool:
        """Whether no booking is left out: then the books must agree with the sessions."""
        return self.start is None and self.end is None and not self.only


def question(query: Mapping[str, str], zone: str, now: datetime) -> CostQuestion:
    """Reads the query tolerantly: what makes no sense falls back to the usual.  `zone` is the reader's."""
    tz = zone_of(query.get("tz") or zone)
    chosen = query.get("range", "")
    first, last = _day(query.get("from", "")), _day(query.get("to", ""))
    if first or last:
        chosen = OWN
        first, last = (last, first) if first and last and first > last else (first, last)
    else:
        chosen = chosen if chosen in dict(RANGES) else USUAL_RANGE
        first = first_day_of(chosen, now.astimezone(tz).date())
    sort = query.get("sort", "")
    return CostQuestion(
        range=chosen,
        tz=tz,
        start=midnight(first, tz) if first else None,
        end=midnight(last + timedelta(days=1), tz) if last else None,
        first_day=first,
        last_day=last,
        only=tuple((name, query[name]) for name in FILTERS if _usable(name, query.get(name, ""))),
        sort=sort if sort in SORTS else USUAL_SORT,
        descending=query.get("dir", "asc" if sort == "title" else "desc") != "asc",
        page=_page(query.get("page", "")),
    )


def first_day_of(chosen: str, today: date) -> date | None:
    """The day with which one of RANGES begins; None for all time."""
    days = {"today": 1, "7d": 7, "30d": 30}.get(chosen)
    return today - timedelta(days=days - 1) if days else None


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name, as it stands in an address or a cookie; UTC when there is none such."""
    try:
        return ZoneInfo(unquote(name)) if name and len(name) < 80 else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def midnight(day: date, tz: ZoneInfo) -> datetime:
    """When `day` begins in `tz`, in UTC."""
    return datetime.combine(day, time.min, tz).astimezone(UTC)


def day_of(hour: int, tz: ZoneInfo) -> date:
    """The day in `tz` in which a whole hour since 1970 begins."""
    return datetime.fromtimestamp(hour * HOUR_S, tz).date()


def _hour(moment: datetime | None) -> int | None:
    return None if moment is None else -int(-moment.timestamp() // HOUR_S)


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def _page(text: str) -> int:
    usable = text.isascii() and text.isdigit() and len(text) < 6
    return min(max(int(text), 1), LAST_PAGE) if usable else 1


def _usable(facet: str, value: str) -> bool:
    """Whether a filter's value can be one: the database refuses NULs, long numbers and half UUIDs."""
    if not value or len(value) > 128 or "\0" in value:
        return False
    if facet == OUTCOME:
        return any(value == one.key for one in OUTCOMES)
    if facet == "account":  # every session has one
        return value.isascii() and value.isdigit() and len(value) < 16
    return value == NONE or facet not in UUID_FACETS or _is_uuid(value)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
