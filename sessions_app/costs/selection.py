"""What a question selects of the ledger: bookings, and what each of their sessions spent in them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from sessions_app.costs.columns import KINDS, SIDES, Column, Table, begin_of, lowest, sums
from sessions_app.costs.spend import Spend

PARTS = ("llm", "proxy", "browser")
"""Kinds of cost that a total is made of; "rest" is what they leave of it."""
MOST_CELLS = 1 << 15
"""Of a grid: more would not stay in the processor's cache."""


class Books(Protocol):
    """What a selection is made from (`ledger.Ledger`)."""

    sessions: Table

    def count(self, side: str) -> int:
        """How many numbers a side has."""

    def key(self, side: str, code: int) -> Any:
        """What a number of it stands for, see Group."""


class Group(NamedTuple):
    """Of one value of a facet.  `key`: None is "without", else a UUID, an account's number, a text, an Outcome."""

    key: Any
    code: int
    sessions: int
    microusd: int


class Cut(NamedTuple):
    """Of the bookings of a selection: what of their money, and of which hours; None is open."""

    kind: str = "total"
    first_hour: int | None = None
    end_hour: int | None = None


class Selection:
    """What a question selects: bookings, by hour, and what each of their sessions spent in them."""

    def __init__(self, ledger: Books, bookings: dict[str, Column]) -> None:
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

    @cached_property
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

    def booked(self, cut: Cut, side: str = "") -> Column:
        """Micro-dollars of what the cut leaves of the bookings, by the numbers of a side; without one the sum alone."""
        hours = self._bookings["hour"]
        which = slice(begin_of(hours, cut.first_hour, 0), begin_of(hours, cut.end_hour, len(hours)))
        spent = self._of_kind(cut.kind, which)
        if not side:
            return spent.sum(keepdims=True)
        codes = self._ledger.sessions[side][self._bookings["place"][which]]
        return sums(codes, spent, self._ledger.count(side))

    def _of_kind(self, kind: str, which: slice) -> Column:
        if kind != "rest":
            return self._bookings[kind][which]
        parts = (self._bookings[name][which] for name in PARTS)
        return self._bookings["total"][which] - sum(parts)

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
