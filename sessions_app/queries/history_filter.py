"""What the address of the history asks for, read so that nothing in it can break anything."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, tzinfo
from typing import Any, NamedTuple

from django.utils.dateparse import parse_date

from sessions_app.queries import search
from sessions_app.queries.floor import as_uuid
from sessions_app.rules.spans import seconds_of
from sessions_app.types import Status
from sessions_app.upstream.decimals import parse_micro

NEWEST, DEAREST = "newest", "dearest"
LIVE, ENDED, OTHER, DIRECT = "live", "ended", "other", "none"
STATUSES = (
    (LIVE, "Live"),
    (ENDED, "Ended"),
    (Status.RUNNING, "Running"),
    (Status.IDLE, "Idle"),
    (Status.CREATED, "Starting"),
    (Status.STOPPED, "Stopped"),
    (Status.TIMED_OUT, "Timed out"),
    (Status.ERROR, "Error"),
    (OTHER, "Other"),
)
OUTCOMES = (("succeeded", "Succeeded"), ("failed", "Failed"), ("unknown", "Not said"))
SUCCESSFUL = {"succeeded": True, "failed": False, "unknown": None}


class HistoryFilter(NamedTuple):
    """What the address bar asks for.  Words that mean nothing here ask for nothing, and stand in `wrong`.

    Days are those of `zone`, both ends included, as are those of the other ranges.
    """

    status: str = ""
    outcome: str = ""
    model: str = ""
    account: str = ""
    profile: str = ""
    workspace: str = ""
    proxy: str = ""
    """A country, or `none`: without a proxy."""
    since: date | None = None
    until: date | None = None
    steps_from: int | None = None
    steps_to: int | None = None
    took_from: float | None = None
    """Seconds; of one that lives, so far."""
    took_to: float | None = None
    least_microusd: int | None = None
    most_microusd: int | None = None
    attention: bool = False
    q: str = ""
    sort: str = NEWEST
    after: str = ""
    zone: tzinfo = UTC
    wrong: tuple[str, ...] = ()
    """What could not be understood, in words."""

    @classmethod
    def from_query(cls, query: Mapping[str, str], *, see_costs: bool, zone: tzinfo = UTC) -> "HistoryFilter":
        readers = (
            _READERS if see_costs else {name: how for name, how in _READERS.items() if name not in _COSTS}
        )
        values, wrong = {}, []
        for name, (column, read, meant) in readers.items():
            text = query.get(name, "")
            values[column] = read(text) if text.strip() else None
            if values[column] is None and text.strip():
                wrong.append(f"“{search.clean(text)[:40]}” is {meant}.")
        read_ones: Any = {column: value for column, value in values.items() if value is not None}
        chosen = cls(**read_ones, after=query.get("after", ""), zone=zone)
        return chosen._replace(wrong=(*wrong, *_backwards(chosen)))

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self[:_NARROWING] != HistoryFilter()[:_NARROWING]


_NARROWING = HistoryFilter._fields.index("sort")
_COSTS = frozenset({"least", "most", "sort"})
"""For who may see costs: an order by them would tell them."""


def _one_of(words: Any) -> Callable[[str], str | None]:
    return lambda text: text if text in words else None


def _uuid(text: str) -> str | None:
    return str(as_uuid(text) or "") or None


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    text = text.strip().replace(",", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _dollars(text: str) -> int | None:
    return parse_micro(text.strip().removeprefix("$"))


def _backwards(chosen: HistoryFilter) -> list[str]:
    """Ranges that end before they begin: nothing can match, and the page should say why."""
    ranges = (
        ("days", chosen.since, chosen.until),
        ("steps", chosen.steps_from, chosen.steps_to),
        ("durations", chosen.took_from, chosen.took_to),
        ("costs", chosen.least_microusd, chosen.most_microusd),
    )
    return [
        f"The range of {what} ends before it begins, so nothing can match."
        for what, least, most in ranges
        if least is not None and most is not None and _is_less(most, least)
    ]


def _is_less(one: Any, other: Any) -> bool:
    return bool(one < other)


_READERS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "status": ("status", _one_of(dict(STATUSES)), "no status"),
    "outcome": ("outcome", _one_of(SUCCESSFUL), "no outcome"),
    "model": ("model", search.clean, "no model"),
    "account": ("account", search.clean, "no account"),
    "profile": ("profile", _uuid, "no id of a profile"),
    "workspace": ("workspace", _uuid, "no id of a workspace"),
    "proxy": ("proxy", search.clean, "no country"),
    "since": ("since", _day, "no day: it is written 2026-11-25"),
    "until": ("until", _day, "no day: it is written 2026-11-25"),
    "steps_from": ("steps_from", _number, "no number of steps"),
    "steps_to": ("steps_to", _number, "no number of steps"),
    "took_from": ("took_from", seconds_of, "no duration: say “5” for minutes, “90 s”, or “1 h 30 m”"),
    "took_to": ("took_to", seconds_of, "no duration: say “5” for minutes, “90 s”, or “1 h 30 m”"),
    "least": ("least_microusd", _dollars, "no amount of dollars"),
    "most": ("most_microusd", _dollars, "no amount of dollars"),
    "attention": ("attention", lambda text: text == "1" or None, "neither 1 nor empty"),
    "q": ("q", search.clean, "no text"),
    "sort": ("sort", _one_of((NEWEST, DEAREST)), "no order"),
}
"""Parameter → field, how it is read (None: not understood), and what to say when it is not."""
