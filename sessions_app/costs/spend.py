"""What was spent, by kind of cost."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Spend(NamedTuple):
    """In micro-dollars.  The parts need not add up to the total, which alone is billed.  `idle` is no part beside
    them: it is what of the total went while no task was under way."""

    llm: int = 0
    proxy: int = 0
    browser: int = 0
    total: int = 0
    idle: int = 0

    @property
    def rest(self) -> int:
        """What the total has beyond its parts; negative when the parts say more than the total."""
        return self.total - self.llm - self.proxy - self.browser

    @classmethod
    def sum_of(cls, spends: Iterable["Spend"]) -> "Spend":
        return cls(*map(sum, zip(*spends, strict=True)))

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Spend":
        """From a row of a query with `books.SUMS`."""
        return cls(*(row[name] for name in cls._fields))
