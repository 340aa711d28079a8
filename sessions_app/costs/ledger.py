"""The ledger: every booking of every session in columns of whole numbers, in this process's memory.

A question about money asks for a dozen groupings of the same bookings.  A database walks its rows for each of them:
seconds for a million sessions, where a pass over an array takes milliseconds (`make bench ONLY=costs`).  What it costs:
some 180 bytes of memory for a session with two bookings, and reading everything once, after the first look.

It knows no database: `bookkeeper` fills it and keeps it up to date.  Money is int64 micro-dollars throughout, never a
float; a place is a session's index in the columns.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from sessions_app.costs.outcome import OUTCOMES
from sessions_app.costs.question import FACETS, NONE, OUTCOME, UUID_FACETS
from sessions_app.costs.spend import Spend

type Column = NDArray[Any]
type Columns = Mapping[str, Column]

KINDS = Spend._fields
NOT_ENDED = np.iinfo(np.int64).min
"""In the column `took_s`."""
TITLE_BEGINS = ("title_a", "title_b", "title_c")
TITLE = dict.fromkeys((*TITLE_BEGINS, "title_same"), "i8")
"""See `titles`."""
SESSION = {"pk": "i8", "total": "i8", "steps": "i8", "created_s": "i8", "took_s": "i8", **TITLE}
CODES = {**dict.fromkeys(FACETS, "i4"), OUTCOME: "i4"}
"""Facets hold a number for each value; OUTCOME the index into OUTCOMES."""
BOOKING = {"place": "i8", "hour": "i4", **dict.fromkeys(KINDS, "i8")}
SIDES = tuple(CODES)
MOST_CELLS = 1 << 15
"""Of a grid: more would not stay in the processor's cache."""


class Group(NamedTuple):
    """Of one value of a facet.  `key`: None is "without", else a UUID, an account's number, a text, an Outcome."""

    key: Any
    code: int
    sessions: int
    microusd: int


class Table:
    """Columns of one length, with room to grow: a few rows more do not move a hundred megabytes."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self.size = 0
        self._room = {name: np.zeros(0, kind) for name, kind in types.items()}

    def __getitem__(self, name: str) -> Column:
        return self._room[name][: self.size]

    def resize(self, size: int) -> None:
        """Longer or shorter.  What comes in anew holds anything."""
        for name, column in self._room.items():
            if size > len(column):
                larger = np.empty(size + size // 8, column.dtype)
                larger[: self.size] = column[: self.size]
                self._room[name] = larger
        self.size = size

    def put(self, where: Any, rows: Columns) -> None:
        for name, column in self._room.items():
            column[: self.size][where] = rows[name]

    def rows(self, where: Any) -> dict[str, Column]:
        return {name: column[: self.size][where] for name, column in self._room.items()}


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
        begin = min(_first(stale[old["place"]]), int(np.searchsorted(old["hour"], _earliest(fresh["hour"]))))
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
    ) -> "Selection":
        """Bookings from `first_hour` on and before `end_hour`, of sessions that all filters, (facet, value), let through."""
        asked = (first_hour, end_hour, tuple(only))
        if asked not in self._selected:
            self._selected[asked] = self._select(*asked)
        return self._selected[asked]

    def _select(
        self, first_hour: int | None, end_hour: int | None, only: tuple[tuple[str, str], ...]
    ) -> "Selection":
        hours = self.bookings["hour"]
        begin = 0 if first_hour is None else np.searchsorted(hours, first_hour)
        end = len(hours) if end_hour is None else np.searchsorted(hours, end_hour)
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


class Selection:
    """What a question selects: bookings, by hour, and what each of their sessions spent in them."""

    def __init__(self, ledger: Ledger, bookings: dict[str, Column]) -> None:
        self._ledger, self._bookings = ledger, bookings
        self._columns: dict[str, Column] = {}
        self._groups: dict[str, list[Group]] = {}
        self._grids: dict[tuple[str, ...], Grid] = {}

    @cached_property
    def _places(self) -> Column | slice:
        """Of the sessions that have a booking here; a slice, which copies nothing, when all have."""
        seen = np.zeros(self._ledger.sessions.size, bool)
        seen[self._bookings["place"]] = True
        return slice(None) if seen.all() else np.flatnonzero(seen)

    @cached_property
    def spent(self) -> Column:
        """Micro-dollars, one of each session that has a booking here."""
        booked = self._bookings
        return sums(booked["place"], booked["total"], self._ledger.sessions.size)[self._places]

    @property
    def sessions(self) -> int:
        return len(self.spent)

    @property
    def microusd(self) -> int:
        return int(self._bookings["total"].sum())

    def column(self, name: str) -> Column:
        """Of the same sessions in the same order."""
        if name not in self._columns:
            self._columns[name] = self._ledger.sessions[name][self._places]
        return self._columns[name]

    def hours(self) -> list[tuple[int, Spend]]:
        """(whole hours since 1970, spend), oldest first, hours without a booking left out."""
        hours = self._bookings["hour"]
        if not len(hours):
            return []
        begins = np.flatnonzero(np.concatenate(([True], hours[1:] != hours[:-1])))
        kinds = [np.add.reduceat(self._bookings[kind], begins).tolist() for kind in KINDS]
        return [(hour, Spend(*spends)) for hour, *spends in zip(hours[begins].tolist(), *kinds, strict=True)]

    def groups(self, side: str) -> list[Group]:
        """By facet or outcome, dearest first."""
        if side not in self._groups:
            self._groups[side] = self._group(side)
        return self._groups[side]

    def _group(self, side: str) -> list[Group]:
        counts, spent = self._grid_with(side).along(side)
        found = [
            Group(self._ledger.key(side, code), code, int(counts[code]), int(spent[code]))
            for code in np.flatnonzero(counts).tolist()
        ]
        return sorted(found, key=lambda group: (-group.microusd, str(group.key or "")))

    def _grid_with(self, side: str) -> "Grid":
        """The one that has this axis.  A page asks for all sides: as many as fit are counted in one pass."""
        sizes = {one: max(1, self._ledger.count(one)) for one in SIDES}
        sides = next(pack for pack in packed(sizes) if side in pack)
        if sides not in self._grids:
            self._grids[sides] = self._grid(sides, [sizes[one] for one in sides])
        return self._grids[sides]

    def _grid(self, sides: tuple[str, ...], shape: list[int]) -> "Grid":
        cells = self.column(sides[0])
        for side, size in zip(sides[1:], shape[1:], strict=True):
            cells = cells * size + self.column(side)
        size = math.prod(shape)
        counts, spent = sums(cells, 1, size), sums(cells, self.spent, size)
        return Grid(sides, counts.reshape(shape), spent.reshape(shape))

    def crossed(
        self, rows: tuple[str, Sequence[int], int], columns: tuple[str, Sequence[int], int]
    ) -> list[list[int]]:
        """Spend by two sides at once, as lines of cells.

        Each is (side, for each of its numbers the line of the table that it goes to, how many lines there are).
        """
        (side, lines, height), (other, stacks, width) = rows, columns
        if not self.sessions:
            return []
        across, down = np.asarray(stacks, "i8"), np.asarray(lines, "i8")
        grid = self._grid_with(side)
        if other in grid.sides:
            cells, spent = down[:, None] * width + across, grid.along(side, other)[1]
        else:
            cells, spent = down[self.column(side)] * width + across[self.column(other)], self.spent
        table: list[list[int]] = sums(cells, spent, height * width).reshape(height, width).tolist()
        return table

    def spread(self, edges: Sequence[int]) -> list[tuple[int, int]]:
        """(sessions, micro-dollars) of those that spent less than the first edge, than the second, …, and of the rest."""
        steps, size = np.searchsorted(edges, self.spent, side="right"), len(edges) + 1
        counts, spent = sums(steps, 1, size), sums(steps, self.spent, size)
        return list(zip(counts.tolist(), spent.tolist(), strict=True))

    def ranked(self, ranks: Sequence[int]) -> list[int]:
        """What the sessions at these places from 1 spent, cheapest first.  `ranks` rise: each is sought above the last."""
        found, dearer, below = [], self.spent, 0
        for rank in ranks:
            dearer, below = np.partition(dearer, rank - 1 - below)[rank - 1 - below :], rank - 1
            found.append(int(dearer[0]))
        return found

    def page(self, by: str, begin: int, length: int, *, descending: bool) -> list[int]:
        """Primary keys by a column of SESSION, or `spent`; equals by their keys in the same direction."""
        values = self.spent if by == "spent" else self.column(by)
        values, end = (~values if descending else values), min(begin + length, len(values))
        if begin >= end:
            return []
        candidates = lowest((values,), end)
        keys = self.column("pk")[candidates]
        order = np.lexsort((-keys if descending else keys, values[candidates]))
        found: list[int] = keys[order][begin:end].tolist()
        return found


class Grid(NamedTuple):
    """How many sessions, and what they spent, for every combination of the numbers of some sides: an axis for each."""

    sides: tuple[str, ...]
    sessions: Column
    spent: Column

    def along(self, *sides: str) -> tuple[Column, Column]:
        """(sessions, micro-dollars) by these sides alone, in this order of axes."""
        others = tuple(axis for axis, side in enumerate(self.sides) if side not in sides)
        left = [side for side in self.sides if side in sides]
        order = [left.index(side) for side in sides]
        return self.sessions.sum(others).transpose(order), self.spent.sum(others).transpose(order)


def packed(sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """The sides, in packs of which each has at most MOST_CELLS combinations, or one side."""
    pack, cells = list[str](), 1
    for side in sorted(sizes, key=sizes.__getitem__):
        if pack and cells * sizes[side] > MOST_CELLS:
            yield tuple(pack)
            pack, cells = [], 1
        pack.append(side)
        cells *= sizes[side]
    yield tuple(pack)


def lowest(columns: Sequence[Column], count: int) -> Column:
    """Indices, in no order, of the `count` rows that come first by these columns, and of those that equal the last."""
    surely, still = [], None
    for column in columns:
        values = column if still is None else column[still]
        edge = np.partition(values, count - 1)[count - 1]
        below, equal = np.flatnonzero(values < edge), np.flatnonzero(values == edge)
        surely.append(below if still is None else still[below])
        still, count = equal if still is None else still[equal], count - len(below)
    return np.concatenate([*surely, still])


def sums(groups: Column, values: Column | int, size: int) -> Column:
    """The sum of `values` in each of `size` groups: whole numbers, where `bincount` would make floats of them (and it
    is slower even at counting)."""
    found = np.zeros(size, np.int64)
    np.add.at(found, groups, values)
    return found


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
