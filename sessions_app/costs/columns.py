"""Columns of whole numbers: what the ledger keeps of sessions and bookings, and how many rows of it are reckoned with.

Money is int64 micro-dollars throughout, never a float.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sessions_app.costs.question import FACETS, OUTCOME
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


def begin_of(ascending: Column, value: int | None, default: int) -> int:
    """Index of the first that is not below the value.  It is made one of the column's type: for any other the whole
    column would be converted, at every search."""
    return default if value is None else int(np.searchsorted(ascending, ascending.dtype.type(value)))


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
