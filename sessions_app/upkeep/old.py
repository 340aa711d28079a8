"""Which history is old enough to be thinned, and what of it may go.  Only reads."""

from bisect import bisect_right
from collections.abc import Collection, Iterator

from django.db.models import Count, Q

from sessions_app.models import AgentSession, Screenshot, Snapshot, Step, StopRequest, UpkeepPass
from sessions_app.rules.history import from_ms, to_ms
from sessions_app.rules.retention import COARSE_MS, Horizons, Seen, droppable

GROUP = 50
"""Sessions at a time."""
CHUNK = 5_000
"""Snapshots that are read at once."""

type Key = tuple[int, int]
"""Of a session, and within it: a moment or a step's number."""


def sessions(place: int, until: Horizons, since: UpkeepPass | None) -> list[int]:
    """The next sessions that have snapshots which got old since the last pass, or may have."""
    seen, changed = "first_seen_at__lt", "changed_at__gte"
    full = Q((seen, from_ms(until.full_until_ms)))
    fine = Q((seen, from_ms(until.fine_until_ms)))
    if since:  # an hour earlier: moments were rounded
        full &= Q((changed, from_ms(since.full_until_ms - COARSE_MS)))
        fine &= Q((changed, from_ms(since.fine_until_ms - COARSE_MS)))
    rows = AgentSession.objects.filter(full | fine, pk__gt=place).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:GROUP])


def rows_by_session(ids: Collection[int], until: Horizons) -> dict[int, int]:
    """How many snapshots old enough to be judged each session has."""
    rows = Snapshot.objects.filter(session_id__in=ids, at_ms__lt=until.full_until_ms).order_by()
    return dict(rows.values_list("session_id").annotate(rows=Count("at_ms")))


def droppable_snapshots(ids: Collection[int], until: Horizons) -> Iterator[Key]:
    """Keys of snapshots.  The first and the last stay anyhow: sessions with no more than these are not looked into."""
    worth = [session_id for session_id, rows in rows_by_session(ids, until).items() if rows > 2]
    marks = _marks(worth)
    for session_id in worth:
        for at_ms in droppable(_snapshots(session_id, until), until, marks.get(session_id, ())):
            yield session_id, at_ms


def _snapshots(session_id: int, until: Horizons) -> Iterator[Seen]:
    """The old ones, oldest first, in chunks: a session may have any number, and nothing is held open meanwhile."""
    mine = Snapshot.objects.filter(session_id=session_id, at_ms__lt=until.full_until_ms)
    columns = mine.order_by("at_ms").values_list("at_ms", "status_code")
    chunk = [Seen(*row) for row in columns[:CHUNK]]
    while chunk:
        yield from chunk
        chunk = [Seen(*row) for row in columns.filter(at_ms__gt=chunk[-1].at_ms)[:CHUNK]]


def _marks(ids: Collection[int]) -> dict[int, list[int]]:
    """Moments of stops, by session: what the session looked like then stays provable."""
    moments = ("requested_at", "satisfied_at", "ended_at")
    marks: dict[int, list[int]] = {}
    for session_id, *found in StopRequest.objects.filter(session__in=ids).values_list("session_id", *moments):
        marks.setdefault(session_id, []).extend(to_ms(moment) for moment in found if moment)
    return marks


def unused_texts(ids: Collection[int], until: Horizons, gone: Collection[Key] = ()) -> Iterator[Key]:
    """Keys of summaries of steps that neither a snapshot nor a picture shows any more; a session's last one stays.

    `gone`: snapshots that do not count, as if they had been deleted.
    """
    steps_of = Step.objects.filter(session_id__in=ids).order_by().values_list("session_id")
    for session_id in (pk for pk, steps in steps_of.annotate(steps=Count("number")) if steps > 1):
        rows = Snapshot.objects.filter(session_id=session_id).values_list("at_ms", "step_count")
        used = {step for at_ms, step in rows if (session_id, at_ms) not in gone}
        steps = Step.objects.filter(session_id=session_id).order_by("number")
        numbers = list(steps.values_list("number", flat=True))
        used |= _of_pictures(session_id, numbers)
        old = steps.filter(at_ms__lt=until.full_until_ms).values_list("number", flat=True)
        yield from ((session_id, number) for number in old if number not in used and number != numbers[-1])


def _of_pictures(session_id: int, numbers: list[int]) -> set[int]:
    """A picture shows its step's summary; where none was read, that of the last one before it."""
    pictures = Screenshot.objects.filter(session_id=session_id).values_list("step_count", flat=True)
    places = {bisect_right(numbers, step) for step in pictures.distinct()}
    return {numbers[place - 1] for place in places if place}
