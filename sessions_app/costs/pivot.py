"""Spend by any two facets at once.  The cells' sum is the total, to the micro-dollar."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import QuerySet

from sessions_app.costs.books import SUMS
from sessions_app.costs.groups import account_names, names, words_of
from sessions_app.costs.outcome import outcome_of
from sessions_app.costs.question import FACETS, OUTCOME, UUID_FACETS
from sessions_app.models import CostHour

_OUTCOME_COLUMNS = ("session__status", "session__is_task_successful", "session__is_live")
SIDES = (*FACETS, OUTCOME)
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


def pivot(booked: QuerySet[CostHour], sides: tuple[str, str]) -> Pivot:
    """One query, and at most two for the names."""
    cells = _cells(booked, sides)
    known = _names(sides, cells)
    rows = _heads(sides[0], 0, cells, known, MOST_ROWS)
    columns = _heads(sides[1], 1, cells, known, MOST_COLUMNS)
    table: Counter[tuple[int, int]] = Counter()
    for (row, column), microusd in cells.items():
        table[rows.place(row), columns.place(column)] += microusd
    width = range(len(columns.heads))
    lines = tuple((head, tuple(table[r, c] for c in width)) for r, head in enumerate(rows.heads))
    return Pivot(sides, columns.heads, lines)


class _Side(NamedTuple):
    heads: tuple[Head, ...]
    places: dict[Any, int]

    def place(self, key: Any) -> int:
        """Where a key's figures go: to its own head, or to the last, which is for all others."""
        return self.places.get(key, len(self.heads) - 1)


def _cells(booked: QuerySet[CostHour], sides: tuple[str, str]) -> dict[tuple[Any, Any], int]:
    wanted = [column for side in sides for column in _columns(side)]
    cells: dict[tuple[Any, Any], int] = {}
    for row in booked.order_by().values(*wanted).annotate(total=SUMS["total"]):
        key = (_key(sides[0], row), _key(sides[1], row))
        cells[key] = cells.get(key, 0) + row["total"]
    return cells


def _columns(side: str) -> tuple[str, ...]:
    return _OUTCOME_COLUMNS if side == OUTCOME else (FACETS[side],)


def _key(side: str, row: Mapping[str, Any]) -> Any:
    if side == OUTCOME:
        return outcome_of(*(row[column] for column in _OUTCOME_COLUMNS))
    return row[FACETS[side]] or None


def _names(sides: tuple[str, str], cells: Iterable[tuple[Any, Any]]) -> dict[Any, str]:
    places = [place for place, side in enumerate(sides) if side in UUID_FACETS]
    known = names({key[place] for key in cells for place in places if key[place]})
    return known | account_names() if "account" in sides else known


def _heads(
    side: str, place: int, cells: Mapping[tuple[Any, Any], int], known: dict[Any, str], most: int
) -> _Side:
    sums: Counter[Any] = Counter()
    for key, microusd in cells.items():
        sums[key[place]] += microusd
    ranked = sorted(sums.items(), key=lambda one: -one[1])
    named, others = (ranked, []) if len(ranked) <= most + 1 else (ranked[:most], ranked[most:])
    heads = [_head(side, key, microusd, known) for key, microusd in named]
    if others:
        heads.append(Head("", f"{len(others):,} others", sum(microusd for _, microusd in others)))
    return _Side(tuple(heads), {key: number for number, (key, _) in enumerate(named)})


def _head(side: str, key: Any, microusd: int, known: dict[Any, str]) -> Head:
    if side == OUTCOME:
        return Head(key.key, key.words, microusd)
    return Head(*words_of(side, key, known), microusd)
