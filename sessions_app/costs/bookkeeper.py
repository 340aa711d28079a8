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
from django.db.models import BigIntegerField, F, Func, Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from sessions_app.costs.ledger import BOOKING, CODES, KINDS, NOT_ENDED, SESSION, Column, Ledger
from sessions_app.costs.outcome import OUTCOMES, outcome_of
from sessions_app.costs.question import FACETS
from sessions_app.costs.reading import one_moment
from sessions_app.models import AgentSession, CostHour

OVERLAP = timedelta(minutes=10)
"""`changed_at` is when the answer was asked for; it is seen only after it came, waited its turn and was committed."""
AT_ONCE = 50_000

_LOOKS = ("status", "is_task_successful", "is_live")
_NUMBERS = {
    "pk": "pk",
    "total": "total",
    "steps": "step_count",
    "created_s": "created_s",
    "ended_s": "ended_s",
}
"""Columns of the ledger, and what the query calls them."""


class Seconds(Func):
    """Whole seconds since 1970 of a moment: integers come from the database ten times faster than moments."""

    template, output_field = "CAST(EXTRACT(EPOCH FROM %(expressions)s) AS BIGINT)", BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="unixepoch(%(expressions)s)", **context)


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


def forget() -> None:
    """Give the memory back; whoever opens the ledger next reads everything again."""
    with _books.lock:
        _books.ledger, _books.read_to = Ledger(), None


def _catch_up(books: _Books) -> None:
    began = timezone.now()
    changed = Q()
    if books.read_to:
        changed = Q(changed_at__gte=books.read_to) | Q(pk__gt=books.ledger.newest_pk)
    books.read_to = None  # until all of it is there
    sessions = _sessions(books.ledger, AgentSession.objects.filter(changed))
    books.ledger.take(sessions, _bookings(changed))
    books.read_to = began - OVERLAP


def _sessions(ledger: Ledger, changed: Any) -> dict[str, Column]:
    uuids = [f"{facet}_id" for facet in ("profile", "workspace")]
    rows = (
        changed.order_by("pk")
        .annotate(
            total=Coalesce(F("total_cost_microusd"), 0),
            created_s=Seconds(F("created_at")),
            ended_s=Seconds(F("ended_at")),
            **{f"{name}_text": Cast(name, TextField()) for name in uuids},
        )
        .values_list(*_NUMBERS.values(), *_LOOKS, *(_text_of(facet) for facet in FACETS))
    )
    parts = (_session_columns(ledger, part) for part in _parts(rows))
    return _joined(parts, SESSION | CODES)


def _text_of(facet: str) -> str:
    column = FACETS[facet].removeprefix("session__")
    return f"{column}_text" if facet in ("profile", "workspace") else column


def _session_columns(ledger: Ledger, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    columns = list(zip(*rows, strict=True))
    found: dict[str, Any] = dict(zip(_NUMBERS, columns, strict=False))
    ends = zip(found["created_s"], found.pop("ended_s"), strict=True)
    found["took_s"] = [NOT_ENDED if end is None else end - born for born, end in ends]
    looks = columns[len(_NUMBERS) : len(_NUMBERS) + len(_LOOKS)]
    found["outcome"] = _each_once(zip(*looks, strict=True), lambda look: OUTCOMES.index(outcome_of(*look)))
    for facet, values in zip(FACETS, columns[len(_NUMBERS) + len(_LOOKS) :], strict=True):
        found[facet] = _each_once(values, partial(_code, ledger, facet))
    return found


def _code(ledger: Ledger, facet: str, value: Any) -> int:
    return ledger.code(facet, _word(facet, value))


def _word(facet: str, value: Any) -> str:
    """As the ledger spells it: UUIDs without dashes, nothing for none."""
    text = "" if value is None else str(value)
    return text.replace("-", "") if facet in ("profile", "workspace") else text


def _each_once(values: Iterable[Any], code_of: Callable[[Any], int]) -> list[int]:
    """The number of each; there are far fewer different ones than sessions."""
    known: dict[Any, int] = {}
    return [known[value] if value in known else known.setdefault(value, code_of(value)) for value in values]


def _bookings(changed: Q) -> dict[str, Column]:
    """All of the changed sessions' bookings; of every session when nothing says which changed."""
    rows = CostHour.objects.order_by()
    if changed:
        rows = rows.filter(session__in=AgentSession.objects.filter(changed).values("pk"))
    names = ("pk", "hour", *KINDS)
    values = rows.values_list("session_id", "hour", *(f"{kind}_microusd" for kind in KINDS))
    parts = (dict(zip(names, zip(*part, strict=True), strict=True)) for part in _parts(values))
    kinds = {name: kind for name, kind in BOOKING.items() if name != "place"}
    return _joined(parts, {"pk": "i8", **kinds})


def _parts(rows: Any) -> Iterator[Sequence[tuple[Any, ...]]]:
    return batched(rows.iterator(chunk_size=AT_ONCE), AT_ONCE, strict=False)


def _joined(parts: Iterable[dict[str, Any]], types: dict[str, str]) -> dict[str, Column]:
    """One array of each column: a part at a time becomes numbers, so that no million tuples wait for it."""
    found = [{name: np.array(part[name], kind) for name, kind in types.items()} for part in parts]
    return {
        name: np.concatenate([np.zeros(0, kind), *(part[name] for part in found)])
        for name, kind in types.items()
    }
