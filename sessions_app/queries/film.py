"""The pictures of a session as a film, a stretch at a time, each with the step that it shows and what that cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Q

from sessions_app.models import AgentSession, Screenshot, Snapshot, Step
from sessions_app.rules.history import from_ms, to_ms

STRETCH = 60
"""Pictures that come at a time."""
_FAR = 10_000
_YEAR_9999_MS = 253_370_764_800_000
_MOST = 2**62


class Frame(NamedTuple):
    """A picture.  `place`: how many there are before it."""

    place: int
    picture: str
    taken_at: datetime
    number: int
    text: str
    cost_microusd: int | None

    @property
    def at_ms(self) -> int:
        return to_ms(self.taken_at)


class Spot(NamedTuple):
    """Where in a film somebody wants to look: by place, by moment (Unix milliseconds), or by step."""

    first: int | None = None
    at_ms: int | None = None
    step: int | None = None


class Film(NamedTuple):
    """A stretch of it.  `chosen`: the place of the picture that was asked for."""

    frames: tuple[Frame, ...]
    first: int
    total: int
    chosen: int | None

    @property
    def earlier(self) -> int | None:
        """Where the stretch before this one begins; None at the beginning."""
        return max(0, self.first - STRETCH) if self.first else None

    @property
    def later(self) -> int | None:
        after = self.first + len(self.frames)
        return after if after < self.total else None


def film_of(session: AgentSession, spot: Spot | None, *, with_costs: bool) -> Film:
    """The stretch around a spot, else the newest one; oldest picture first."""
    pictures = Screenshot.objects.filter(session=session)
    total = pictures.count()
    chosen = _place(session, spot) if spot and total else None
    first = _first(spot, chosen, total)
    rows = list(pictures.order_by("taken_at", "pk")[first : first + STRETCH])
    return Film(_frames(session, first, rows, with_costs), first, total, chosen)


def step_costs(session: AgentSession, numbers: Sequence[int]) -> dict[int | None, int]:
    """What was spent during each of those steps: the total last seen in it, less that of the step seen before."""
    if not numbers:
        return {}
    mine = Snapshot.objects.filter(session_id=session.pk)
    before = mine.filter(step_count__lt=min(numbers)).aggregate(last=Max("step_count"))["last"]
    totals = list(
        mine.filter(step_count__range=(min(numbers) if before is None else before, max(numbers)))
        .values("step_count")
        .annotate(total=Max("total_cost_microusd"))
        .order_by("step_count")
        .values_list("step_count", "total")
    )
    costs: dict[int | None, int] = {}
    # What had been spent before we first looked is no step's own, unless we saw the very first one.
    spent_before: int | None = 0 if totals and totals[0][0] <= 1 else None
    for number, total in totals:
        if total is not None and spent_before is not None:
            costs[number] = max(0, total - spent_before)
        spent_before = total
    return costs if before is None else {number: cost for number, cost in costs.items() if number != before}


def latest(at_ms: int) -> datetime:
    """For columns of date and time: no further than the last year that they know."""
    return from_ms(min(max(at_ms, 0), _YEAR_9999_MS))


def _first(spot: Spot | None, chosen: int | None, total: int) -> int:
    newest = max(0, total - STRETCH)
    if spot and spot.first is not None:
        return min(spot.first, total)
    return min(max(0, chosen - STRETCH // 2), newest) if chosen is not None else newest


def _place(session: AgentSession, spot: Spot) -> int | None:
    """Of the last picture up to that step or moment; the first one when it is older than all."""
    if spot.step is not None:
        until = Q(step_count__lte=min(spot.step, _MOST))
    elif spot.at_ms is not None:
        # The film shows milliseconds, the database keeps microseconds.
        until = Q(taken_at__lt=latest(spot.at_ms + 1))
    else:
        return None
    pictures = Screenshot.objects.filter(session=session)
    row = pictures.filter(until).order_by("-taken_at", "-pk").first()
    if row is None:
        return 0
    return pictures.filter(Q(taken_at__lt=row.taken_at) | Q(taken_at=row.taken_at, pk__lt=row.pk)).count()


def _frames(
    session: AgentSession, first: int, rows: Sequence[Screenshot], with_costs: bool
) -> tuple[Frame, ...]:
    numbers = [row.step_count for row in rows]
    texts = _texts(session, numbers)
    costs = step_costs(session, numbers) if with_costs else {}
    return tuple(
        Frame(place, p.content_hash, p.taken_at, p.step_count, texts.get(p.step_count, ""), costs.get(p.step_count))
        for place, p in enumerate(rows, first)
    )  # fmt: skip


def _texts(session: AgentSession, numbers: Sequence[int]) -> dict[int, str]:
    """Of each step its summary; where none was read, that of the last one before it."""
    if not numbers:
        return {}
    rows = Step.objects.filter(session_id=session.pk, number__gte=min(numbers), number__lte=max(numbers))
    known = dict(rows.values_list("number", "text"))
    texts, last = {}, ""
    for number in range(min(numbers), max(numbers) + 1) if max(numbers) - min(numbers) < _FAR else numbers:
        last = known.get(number, last)
        texts[number] = last
    return texts
