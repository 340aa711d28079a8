"""Which snapshots may go when history gets old.  Pure: moments in Unix milliseconds and status codes in, moments out.

Everything for some days, then the last of each five minutes, then the last of each hour.  Kept at any age: the first
and the last, both sides of every change of status, and both sides of every moment that something else refers to (a
stop).  As the last of each hour stays, so do the hours' costs: what was spent in an hour is the same before and after.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from sessions_app.rules.history import to_ms

FINE_MS = 5 * 60_000
COARSE_MS = 60 * 60_000
"""A whole number of the fine ones, and bookings are by the hour: see above."""


class Policy(NamedTuple):
    """Days that every snapshot is kept, and days until only one an hour is; 0 is for ever."""

    full_days: int
    fine_days: int


class Horizons(NamedTuple):
    """Unix milliseconds.  What is older than `full_until_ms` is thinned, older than `fine_until_ms` still more."""

    full_until_ms: int
    fine_until_ms: int


class Seen(NamedTuple):
    """The part of a snapshot that decides."""

    at_ms: int
    status_code: int


def horizons(policy: Policy, now: datetime) -> Horizons:
    """On whole hours, so that each hour is judged as one."""
    full = _before(now, policy.full_days)
    return Horizons(full, min(full, _before(now, policy.fine_days)))


def _before(now: datetime, days: int) -> int:
    """0 (older than anything) where the policy is to keep."""
    return to_ms(now - timedelta(days=days)) // COARSE_MS * COARSE_MS if days else 0


def droppable(snapshots: Iterable[Seen], until: Horizons, marks: Sequence[int] = ()) -> Iterator[int]:
    """The `at_ms` of those that may go, of one session's snapshots, oldest first.

    They are taken one by one, and only neighbours are compared: a session may have any number of them.  Thinning
    what has been thinned drops nothing, and in two steps the same as in one.
    """
    for before, row, after in _with_neighbours(snapshots):
        alike = before.status_code == row.status_code == after.status_code
        # With a mark in between, this is the last row up to it or the first one after it.
        marked = any(before.at_ms < mark < after.at_ms for mark in marks)
        if alike and not marked and _same_stretch(row, after, until):
            yield row.at_ms


def _with_neighbours(snapshots: Iterable[Seen]) -> Iterator[tuple[Seen, Seen, Seen]]:
    """All but the first and the last, which stay."""
    for (before, row), (_, after) in pairwise(pairwise(snapshots)):
        yield before, row, after


def _same_stretch(row: Seen, after: Seen, until: Horizons) -> bool:
    """Whether a later one stands for the same stretch of time."""
    if row.at_ms >= until.full_until_ms:
        return False
    stretch = COARSE_MS if row.at_ms < until.fine_until_ms else FINE_MS
    return row.at_ms // stretch == after.at_ms // stretch
