"""Keeps this process's ledger up to date: reads everything once, and from then on what changed since the last look.

Every change of a session that a page could show sets its `changed_at`, bookings are written in the same transaction,
and sessions are never deleted; so whoever reads the sessions that changed since the last look, with all of their
bookings, has the books as they are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from threading import RLock
from typing import Any

import numpy as np
from django.db.models import BigIntegerField, F, Func, IntegerField, Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from sessions_app.costs.columns import BOOKING, CODES, KINDS, NOT_ENDED, SESSION, Column
from sessions_app.costs.ledger import Ledger
from sessions_app.costs.outcome import OUTCOMES, outcome_of
from sessions_app.costs.question import FACETS, UUID_FACETS
from sessions_app.costs.reading import one_moment
from sessions_app.costs.titles import columns_of
from sessions_app.models import AgentSession, CostHour

OVERLAP = timedelta(minutes=10)
"""`changed_at` is when the answer was asked for; it is seen only after it came, waited its turn and was committed."""
AT_ONCE = 20_000
"""Sessions: SQLite takes 32,766 parameters."""

LAST_S = 253_402_300_799
"""The last second of the year 9999."""

_LOOKS = ("status", "successful", "living")
_NUMBERS = {
    "pk": "pk",
    "total": "total",
    "steps": "step_count",
    "created_s": "created_s",
    "ended_s": "ended_s",
}
"""Columns of the ledger, and what the query calls them."""


class Number(Func):
    """A whole number, as the database gives it: Django has Python look at each, which takes longer than to read it."""

    template, output_field = "CAST(%(expressions)s AS BIGINT)", BigIntegerField()

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []


class Seconds(Number):
    """Whole seconds since 1970 of a moment: integers come from the database ten times faster than moments."""

    template = "CAST(EXTRACT(EPOCH FROM %(expressions)s) AS BIGINT)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """It knows no second of the last one of the year 9999, which vendors write for "never"."""
        last = f"iif(%(expressions)s IS NULL, NULL, {LAST_S})"
        return self.as_sql(
            compiler, connection, template=f"coalesce(unixepoch(%(expressions)s), {last})", **context
        )


class _Books:
    """This process's ledger, and up to which moment of `changed_at` it has everything."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.read_to: datetime | None = None
        self.lock = RLock()
        self.depth = 0


_books = _Books()


@contextmanager
def opened() -> Iterator[Ledger]:
    """The ledger as of now, which stays as it is, as the whole database does, until the block ends.

    Threads take turns; inside a block of the same thread it is the same ledger of the same moment.
    """
    with _books.lock:
        if _books.depth:
            yield _books.ledger
            return
        _books.depth += 1
        try:
            with one_moment():
                _catch_up(_books)
                yield _books.ledger
        finally:
            _books.depth -= 1
            _books.ledger.tidy()


def forget() -> None:
    """Give the memory back; whoever opens the ledger next reads everything again."""
    with _books.lock:
        _books.ledger, _books.read_to = Ledger(), None


def _catch_up(books: _Books) -> None:
    """A part at a time, each with all of its bookings: no million tuples wait to become numbers."""
    began = timezone.now()
    read_to, books.read_to = books.read_to, None  # until all of it is there
    newest = books.ledger.newest_pk
    # Two questions, for each of which there is an index: "or" between them reads every session.
    for changed in (Q(changed_at__gte=read_to), Q(pk__gt=newest)) if read_to else (Q(),):
        for rows in _parts(_changed_sessions(changed)):
            sessions = _session_columns(books.ledger, rows)
            books.ledger.take(sessions, _bookings(sorted(sessions["pk"].tolist()), one_range=not read_to))
    books.read_to = began - OVERLAP


def _changed_sessions(changed: Q) -> Any:
    """Numbers and texts only: what Django would have to convert for each row takes longer than all the rest."""
    return (
        AgentSession.objects.filter(changed)
        .order_by(*(() if changed else ("pk",)))
        .annotate(
            total=Number(Coalesce(F("total_cost_microusd"), 0)),
            created_s=Seconds(F("created_at")),
            ended_s=Seconds(F("ended_at")),
            successful=Number(Cast("is_task_successful", IntegerField())),
            living=Number(Cast("is_live", IntegerField())),
            **{f"{name}_text": Cast(f"{name}_id", TextField()) for name in UUID_FACETS},
        )
        .values_list(*_NUMBERS.values(), *_LOOKS, *map(_text_of, FACETS), "title")
    )


def _text_of(facet: str) -> str:
    return f"{facet}_text" if facet in UUID_FACETS else FACETS[facet].removeprefix("session__")


def _session_columns(ledger: Ledger, rows: Sequence[tuple[Any, ...]]) -> dict[str, Column]:
    columns = list(zip(*rows, strict=True))
    found: dict[str, Any] = dict(zip(_NUMBERS, columns, strict=False))
    ends = zip(found["created_s"], found.pop("ended_s"), strict=True)
    found["took_s"] = [NOT_ENDED if end is None else end - born for born, end in ends]
    looks = columns[len(_NUMBERS) : len(_NUMBERS) + len(_LOOKS)]
    found["outcome"] = _each_once(zip(*looks, strict=True), _outcome)
    for facet, values in zip(FACETS, columns[len(_NUMBERS) + len(_LOOKS) : -1], strict=True):
        found[facet] = _each_once(values, partial(_code, ledger, facet))
    found |= columns_of(columns[-1])
    return {name: np.asarray(found[name], kind) for name, kind in (SESSION | CODES).items()}


def _outcome(look: tuple[str, int | None, int]) -> int:
    status, successful, living = look
    return OUTCOMES.index(outcome_of(status, None if successful is None else bool(successful), bool(living)))


def _code(ledger: Ledger, facet: str, value: Any) -> int:
    """As the ledger spells it: UUIDs without dashes, nothing for none."""
    text = "" if value is None else str(value)
    return ledger.code(facet, text.replace("-", "") if facet in UUID_FACETS else text)


def _each_once(values: Iterable[Any], code_of: Callable[[Any], int]) -> list[int]:
    """The number of each; there are far fewer different ones than sessions."""
    known: dict[Any, int] = {}
    return [known[value] if value in known else known.setdefault(value, code_of(value)) for value in values]


def _bookings(pks: Sequence[int], *, one_range: bool) -> dict[str, Column]:
    """All bookings of these sessions, lowest number first; `one_range`: there are no others between them."""
    which = Q(session_id__gte=pks[0], session_id__lte=pks[-1]) if one_range else Q(session_id__in=pks)
    rows = CostHour.objects.filter(which).order_by()
    kinds = [f"{kind}_microusd" for kind in KINDS]
    columns = zip(*rows.values_list("session_id", "hour", *kinds).iterator(AT_ONCE), strict=True)
    found = dict(zip(("pk", *(name for name in BOOKING if name != "place")), columns, strict=False))
    return {name: np.array(found.get(name, ()), BOOKING.get(name, "i8")) for name in ("pk", "hour", *KINDS)}


def _parts(rows: Any) -> Iterator[Sequence[tuple[Any, ...]]]:
    return batched(rows.iterator(AT_ONCE), AT_ONCE, strict=False)
