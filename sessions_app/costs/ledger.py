"""The ledger: every booking of every session in columns of whole numbers, in this process's memory.

A question about money asks for a dozen groupings of the same bookings.  A database walks its rows for each of them:
seconds for a million sessions, where a pass over an array takes milliseconds (`make bench ONLY=costs`).  What it costs:
some 300 bytes of memory for a session with two bookings, and reading everything once, after the first look.

It knows no database: `bookkeeper` fills it and keeps it up to date.  A place is a session's index in the columns.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from sessions_app.costs.columns import BOOKING, CODES, SESSION, Column, Columns, Table, begin_of, sums
from sessions_app.costs.outcome import OUTCOMES
from sessions_app.costs.question import FACETS, NONE, OUTCOME, UUID_FACETS
from sessions_app.costs.selection import Selection


class Ledger:
    """Sessions in the order of their primary keys, and their bookings in the order of their hours."""

    def __init__(self) -> None:
        self.sessions = Table(SESSION | CODES)
        self.bookings = Table(BOOKING)
        self._words: dict[str, list[str]] = {facet: [] for facet in FACETS}
        self._codes: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
        self._selected: dict[tuple[Any, ...], Selection] = {}

    # ---- writing ---------------------------------------------------------------------------------------

    def code(self, facet: str, word: str) -> int:
        """The number that stands for this value of a facet."""
        codes = self._codes[facet]
        if word not in codes:
            codes[word] = len(codes)
            self._words[facet].append(word)
        return codes[word]

    def take(self, sessions: Columns, bookings: Columns) -> None:
        """These sessions look like that now, and these are all of their bookings, by `pk`.  Others stay as they were."""
        if not len(sessions["pk"]):
            return
        self.tidy()
        self._take_sessions(sessions)
        fresh = {**bookings, "place": self._places(bookings["pk"])}
        stale = np.zeros(self.sessions.size, bool)
        stale[self._places(sessions["pk"])] = True
        old = self.bookings
        begin = min(_first(stale[old["place"]]), begin_of(old["hour"], _earliest(fresh["hour"]), 0))
        tail = old.rows(slice(begin, None))
        kept = ~stale[tail["place"]]
        merged = {name: np.concatenate([tail[name][kept], fresh[name]]) for name in BOOKING}
        order = np.argsort(merged["hour"], kind="stable")
        old.resize(begin + len(order))
        old.put(slice(begin, None), {name: column[order] for name, column in merged.items()})

    def _take_sessions(self, rows: Columns) -> None:
        places, table = self._places(rows["pk"]), self.sessions
        known, new = places >= 0, np.flatnonzero(places < 0)
        table.put(places[known], {name: rows[name][known] for name in SESSION | CODES})
        size = table.size
        table.resize(size + len(new))
        table.put(slice(size, None), {name: rows[name][new] for name in SESSION | CODES})
        if np.any(table["pk"][1:] < table["pk"][:-1]):
            self._sort_sessions()

    def _sort_sessions(self) -> None:
        """Numbers are not always given out in the order in which rows become visible."""
        order = np.argsort(self.sessions["pk"], kind="stable")
        moved = np.empty_like(order)
        moved[order] = np.arange(len(order))
        self.sessions.put(slice(None), self.sessions.rows(order))
        self.bookings["place"][:] = moved[self.bookings["place"]]

    def _places(self, pks: Column) -> Column:
        """Of these primary keys; -1 where there is no such session."""
        known = self.sessions["pk"]
        if not len(known):
            return np.full(len(pks), -1)
        places = np.minimum(np.searchsorted(known, pks), len(known) - 1)
        return np.where(known[places] == pks, places, -1)

    def tidy(self) -> None:
        """Forget what was selected: a page asks for the same stretch several times over, and then no more."""
        self._selected.clear()

    # ---- asking ----------------------------------------------------------------------------------------

    @property
    def newest_pk(self) -> int:
        return int(self.sessions["pk"][-1]) if self.sessions.size else 0

    @property
    def known_microusd(self) -> int:
        """The sum of all sessions' last totals."""
        return int(self.sessions["total"].sum())

    def select(
        self, first_hour: int | None, end_hour: int | None, only: Iterable[tuple[str, str]]
    ) -> Selection:
        """Bookings from `first_hour` on and before `end_hour`, of sessions that all filters, (facet, value), let through."""
        asked = (first_hour, end_hour, tuple(only))
        if asked not in self._selected:
            self._selected[asked] = self._select(*asked)
        return self._selected[asked]

    def _select(
        self, first_hour: int | None, end_hour: int | None, only: tuple[tuple[str, str], ...]
    ) -> Selection:
        hours = self.bookings["hour"]
        begin, end = begin_of(hours, first_hour, 0), begin_of(hours, end_hour, len(hours))
        which: Any = slice(begin, max(begin, end))
        fits = self._fits(only)
        if fits is not None:
            which = begin + np.flatnonzero(fits[self.bookings["place"][which]])
        return Selection(self, self.bookings.rows(which))

    def spent(self, first_hour: int | None, end_hour: int | None, only: Iterable[tuple[str, str]]) -> int:
        """Micro-dollars of what `select` would select."""
        return self.select(first_hour, end_hour, only).microusd

    def let_through(self, pks: Sequence[int], only: Iterable[tuple[str, str]]) -> list[bool]:
        """Of each of these sessions whether all filters let it through; one that is not known yet never is."""
        places, fits = self._places(np.array(pks, "i8")), self._fits(only)
        found: list[bool] = (places >= 0 if fits is None else (places >= 0) & fits[places]).tolist()
        return found

    def key(self, side: str, code: int) -> Any:
        """What a number stands for, see Group."""
        if side == OUTCOME:
            return OUTCOMES[code]
        word = self._words[side][code]
        if not word:
            return None
        return UUID(word) if side in UUID_FACETS else int(word) if side == "account" else word

    def values(self, side: str) -> list[Any]:
        """What sessions have now, in no order, see Group."""
        used = np.flatnonzero(sums(self.sessions[side], 1, self.count(side)))
        return [self.key(side, code) for code in used.tolist()]

    def count(self, side: str) -> int:
        """How many numbers there are."""
        return len(OUTCOMES) if side == OUTCOME else len(self._words[side])

    def _fits(self, only: Iterable[tuple[str, str]]) -> Column | None:
        """Of each session whether all filters let it through; None when there are no filters."""
        masks = [self.sessions[side] == self._code_of(side, value) for side, value in only]
        return np.logical_and.reduce(masks) if masks else None

    def _code_of(self, side: str, value: str) -> int:
        """The number of a filter's value as the address bar spells it; -1 where no session ever had it."""
        if side == OUTCOME:
            return next(code for code, one in enumerate(OUTCOMES) if one.key == value)
        return self._codes[side].get(_word(side, value), -1)


def _word(facet: str, value: str) -> str:
    """As the ledger spells a value that the address bar spells so."""
    if value == NONE:
        return ""
    if facet in UUID_FACETS:
        return UUID(value).hex
    return str(int(value)) if facet == "account" else value


def _first(which: Column) -> int:
    """Index of the first that is true; the length when none is."""
    return int(np.argmax(which)) if which.any() else len(which)


def _earliest(hours: Column) -> int:
    return int(hours.min()) if len(hours) else np.iinfo(np.int32).max
