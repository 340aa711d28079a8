"""Spend by any two sides at once: facets, outcome, days, kinds of cost.  The cells' sum is the total, to the micro-dollar."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sessions_app.costs import columns
from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.cuts import DAY, KIND, Part, days, kinds
from sessions_app.costs.groups import account_names, names, words_of
from sessions_app.costs.ledger import Ledger
from sessions_app.costs.question import OUTCOME, UUID_FACETS, CostQuestion
from sessions_app.costs.selection import Cut, Group, Selection

SIDES = (*columns.SIDES, DAY, KIND)
USUAL = ("model", OUTCOME)
MOST_ROWS, MOST_COLUMNS = 20, 8


class Head(NamedTuple):
    """A row's or a column's.  `value` is what the address bar's filter takes, "" where there is no such filter."""

    value: str
    words: str
    microusd: int


class Pivot(NamedTuple):
    """Dearest first on both sides; what is beyond MOST_ROWS and MOST_COLUMNS is one line, and one column."""

    sides: tuple[str, str]
    columns: tuple[Head, ...]
    rows: tuple[tuple[Head, tuple[int, ...]], ...]

    @property
    def lines(self) -> list[tuple[Head, list[tuple[Head, int]]]]:
        """Each row with its cells, and the column of each cell."""
        return [(head, list(zip(self.columns, cells, strict=True))) for head, cells in self.rows]

    @property
    def largest_microusd(self) -> int:
        return max([cell for _, cells in self.rows for cell in cells] + [1])


def sides_of(query: Mapping[str, str]) -> tuple[str, str]:
    """Two different ones of SIDES, from `rows` and `columns`; the usual ones where the address makes no sense."""
    rows, columns = query.get("rows", ""), query.get("columns", "")
    return (rows, columns) if rows in SIDES and columns in SIDES and rows != columns else USUAL


def pivot(asked: CostQuestion, sides: tuple[str, str]) -> Pivot:
    """One look at the ledger, and at most two queries for the names."""
    with opened() as ledger:
        chosen = ledger.select(asked.first_hour, asked.end_hour, asked.only)
        rows, columns = (
            _side(ledger, chosen, asked, side, most)
            for side, most in zip(sides, (MOST_ROWS, MOST_COLUMNS), strict=True)
        )
        cells = _cells(chosen, rows, columns)
    known = _names(rows, columns)
    lines = tuple(zip(rows.heads(known), map(tuple, cells), strict=True))
    return Pivot(sides, columns.heads(known), lines)


def _side(ledger: Ledger, chosen: Selection, asked: CostQuestion, name: str, most: int) -> "_Side | _Cuts":
    if name == DAY:
        return _Cuts(chosen, days(chosen, asked.tz, most))
    if name == KIND:
        return _Cuts(chosen, kinds(chosen))
    return _Side(name, chosen.groups(name), most, ledger.count(name))


def _cells(chosen: Selection, rows: "_Side | _Cuts", columns: "_Side | _Cuts") -> list[list[int]]:
    if isinstance(rows, _Cuts):
        return [columns.parted(chosen, part.cut) for part in rows.parts]
    if isinstance(columns, _Cuts):
        stacks = [rows.parted(chosen, part.cut) for part in columns.parts]
        return [list(line) for line in zip(*stacks, strict=True)]
    return chosen.crossed((rows.name, rows.lines, rows.size), (columns.name, columns.lines, columns.size))


class _Cuts:
    """Days, or kinds of cost."""

    def __init__(self, chosen: Selection, parts: list[Part]) -> None:
        self.parts = parts if chosen.sessions else []
        self._sums = [int(chosen.booked(part.cut)[0]) for part in self.parts]

    def parted(self, chosen: Selection, cut: Cut) -> list[int]:
        """What of the cut falls to each: one of both sides is kinds, and the other one hours."""
        return [int(chosen.booked(_both(cut, part.cut))[0]) for part in self.parts]

    def heads(self, known: dict[Any, str]) -> tuple[Head, ...]:
        sums = zip(self.parts, self._sums, strict=True)
        return tuple(Head(part.value, part.words, microusd) for part, microusd in sums)


def _both(one: Cut, other: Cut) -> Cut:
    kinds_, hours = (one, other) if one.kind != "total" else (other, one)
    return hours._replace(kind=kinds_.kind)


class _Side:
    """The groups of one side that have a line of their own, and those that share the last."""

    def __init__(self, name: str, groups: list[Group], most: int, count: int) -> None:
        self.name, self._count = name, count
        cut = len(groups) if len(groups) <= most + 1 else most
        self.named, self.others = groups[:cut], groups[cut:]

    @property
    def size(self) -> int:
        return len(self.named) + bool(self.others)

    @property
    def lines(self) -> list[int]:
        """Of each of the side's numbers the line that it goes to; 0 for those that nothing here has."""
        lines = [0] * self._count
        for line, group in enumerate(self.named):
            lines[group.code] = line
        for group in self.others:
            lines[group.code] = len(self.named)
        return lines

    def parted(self, chosen: Selection, cut: Cut) -> list[int]:
        """What of the cut falls to each line."""
        found: list[int] = columns.sums(
            np.array(self.lines), chosen.booked(cut, self.name), self.size
        ).tolist()
        return found

    def heads(self, known: dict[Any, str]) -> tuple[Head, ...]:
        heads = [_head(self.name, group, known) for group in self.named]
        if self.others:
            microusd = sum(group.microusd for group in self.others)
            heads.append(Head("", f"{len(self.others):,} others", microusd))
        return tuple(heads)


def _names(*sides: _Side | _Cuts) -> dict[Any, str]:
    shown = [(side.name, group.key) for side in sides if isinstance(side, _Side) for group in side.named]
    known = names({key for side, key in shown if side in UUID_FACETS and key})
    return known | account_names() if any(side == "account" for side, _ in shown) else known


def _head(side: str, group: Group, known: dict[Any, str]) -> Head:
    if side == OUTCOME:
        return Head(group.key.key, group.key.words, group.microusd)
    return Head(*words_of(side, group.key, known), group.microusd)
