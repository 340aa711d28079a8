"""Thins old history by `rules.retention`: a few hundred rows per transaction, with a pause after each.

So the poller, which writes to the same database, waits for one short transaction at most.  Bookings are never touched:
costs are exact at any age.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import NamedTuple

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from sessions_app.models import Snapshot, Step, UpkeepPass
from sessions_app.rules.retention import Horizons, Policy, horizons

from . import old, passes
from .old import Key

EVERY = timedelta(hours=1)
"""Horizons lie on whole hours."""
AT_A_TIME_S = 2.0
"""For that long a worker is kept from other things."""
ROWS_PER_TRANSACTION = 500
PAUSE_S = 0.02
"""Between two transactions: whoever waits for SQLite's one write lock asks for it more often than that."""


class Forecast(NamedTuple):
    """What a pass would come to.  Rows: snapshots old enough to be judged."""

    sessions: int = 0
    rows: int = 0
    droppable: int = 0
    texts: int = 0


def policy() -> Policy:
    return Policy(settings.HISTORY_FULL_DAYS, settings.HISTORY_FINE_DAYS)


def work(
    now: datetime | None = None, *, every: timedelta = EVERY, at_a_time_s: float = AT_A_TIME_S
) -> UpkeepPass | None:
    """Go on with the pass that is due, for at most `at_a_time_s`.  Returns it, or None when nothing is to be done."""
    now = now or timezone.now()
    until = horizons(policy(), now)
    current = passes.claim(UpkeepPass.HISTORY, now, every, **until._asdict())
    if current is None:
        return None
    finished = False
    try:
        finished = _walk(current, _restrained(current, until), time.monotonic() + at_a_time_s)
    finally:
        passes.let_go(current, now if finished else None)
    current.refresh_from_db()
    return current


def forecast(now: datetime | None = None) -> Forecast:
    """What the next pass would delete.  Only reads."""
    until, total, place = horizons(policy(), now or timezone.now()), Forecast(), 0
    since = passes.last_finished(UpkeepPass.HISTORY)
    while ids := old.sessions(place, until, since):
        place = ids[-1]
        total = Forecast(*map(sum, zip(total, _forecast(ids, until), strict=True)))
    return total


def _restrained(current: UpkeepPass, until: Horizons) -> Horizons:
    """As the pass began, unless the policy keeps more by now."""
    begun = Horizons(current.full_until_ms, current.fine_until_ms)
    until = Horizons(*map(min, zip(begun, until, strict=True)))
    if until != begun:
        UpkeepPass.objects.filter(pk=current.pk).update(**until._asdict())
    return until


def _walk(current: UpkeepPass, until: Horizons, deadline: float) -> bool:
    """From where the pass has come to; True at the end."""
    since, place = passes.last_finished(UpkeepPass.HISTORY), current.place
    while ids := old.sessions(place, until, since):
        if not _thin(current, ids, until, deadline):
            return False
        place = ids[-1]
        passes.note(current, place=place, looked_at=sum(old.rows_by_session(ids, until).values()))
        if time.monotonic() > deadline:
            return False
    return True


def _thin(current: UpkeepPass, ids: Sequence[int], until: Horizons, deadline: float) -> bool:
    """False when time is up before all is done."""
    snapshots = old.droppable_snapshots(ids, until)
    # Only then, for what a text is needed by is what is left; and again when time was up in between.
    return _deleted(current, Snapshot, "at_ms", snapshots, "deleted", deadline) and _deleted(
        current, Step, "number", old.unused_texts(ids, until), "texts_deleted", deadline
    )


def _forecast(ids: Sequence[int], until: Horizons) -> Forecast:
    rows, gone = old.rows_by_session(ids, until), set(old.droppable_snapshots(ids, until))
    texts = sum(1 for _ in old.unused_texts(ids, until, gone))
    return Forecast(len(ids), sum(rows.values()), len(gone), texts)


# ---- the deletion ----------------------------------------------------------------------------------


def _deleted(
    current: UpkeepPass,
    model: type[models.Model],
    name: str,
    keys: Iterator[Key],
    tally: str,
    deadline: float,
) -> bool:
    """Delete the rows with these keys, batch by batch.  False when time is up; what is gone is gone, and tallied."""
    for batch in batched(keys, ROWS_PER_TRANSACTION, strict=False):
        with transaction.atomic():
            number = _delete(model, name, batch)
            also = {"looked_at": number} if model is Snapshot else {}
            passes.note(current, **{tally: number}, **also)
        time.sleep(PAUSE_S)
        if time.monotonic() > deadline:
            return False
    return True


def _delete(model: type[models.Model], name: str, keys: Sequence[Key]) -> int:
    """By primary key, one prepared statement for all: many times faster than the ORM, so the lock is held less long."""
    table, column = model._meta.db_table, model._meta.get_field(name).column  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.executemany(f'DELETE FROM "{table}" WHERE "session_id" = %s AND "{column}" = %s', keys)  # noqa: S608
        return cursor.rowcount
