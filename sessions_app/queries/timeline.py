"""What happened in a session, newest first: steps, changes of status, stops, pictures, who took control."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Max, Q, Window
from django.db.models.functions import Lag

from sessions_app.models import AgentSession, AuditEntry, Screenshot, Snapshot, Step, StopRequest
from sessions_app.rules.history import STATUS_OF_CODE, from_ms, to_ms

PAGE = 100
FILM_PICTURES = 60
_YEAR_9999_MS = 253_370_764_800_000

TAKEN, RELEASED = "control.taken", "control.released"
CONTROL_ACTS = {TAKEN: "took control of the browser", RELEASED: "gave control back"}


class Event(NamedTuple):
    """One line of the timeline.  `kind` is step, status, stop, proof, picture or control."""

    at: datetime
    kind: str
    text: str
    who: str = ""
    number: int | None = None
    cost_microusd: int | None = None
    picture: str = ""
    stop_id: int | None = None
    state: str = ""

    @property
    def at_ms(self) -> int:
        return to_ms(self.at)


class Timeline(NamedTuple):
    """A page of events.  `before_ms` asks for the next page; None on the last one."""

    events: tuple[Event, ...]
    before_ms: int | None


class Frame(NamedTuple):
    """A picture of the film strip."""

    picture: str
    taken_at: datetime
    number: int
    text: str
    cost_microusd: int | None


def timeline_of(session: AgentSession, before_ms: int | None, *, with_costs: bool) -> Timeline:
    """At most PAGE events before that moment (Unix milliseconds), and those of the last one's very moment."""
    before = before_ms if before_ms is not None else 2**62
    kinds = (_steps, _statuses, _stops, _proofs, _pictures, _control)
    events = sorted(
        (event for kind in kinds for event in kind(session, before)), key=lambda event: event.at, reverse=True
    )
    if len(events) <= PAGE:
        return Timeline(_priced(session, events, with_costs), None)
    edge = events[PAGE - 1].at_ms
    page = [event for event in events if event.at_ms >= edge]
    return Timeline(_priced(session, page, with_costs), edge)


def film_of(session: AgentSession, *, with_costs: bool) -> tuple[Frame, ...]:
    """The last pictures, oldest first, each with the step that it shows."""
    pictures = list(session.screenshots.order_by("-taken_at", "-pk")[:FILM_PICTURES])[::-1]
    texts = _texts(session, [picture.step_count for picture in pictures])
    costs = _step_costs(session, [p.step_count for p in pictures]) if with_costs else {}
    return tuple(
        Frame(p.content_hash, p.taken_at, p.step_count, texts.get(p.step_count, ""), costs.get(p.step_count))
        for p in pictures
    )


def _latest(at_ms: int) -> datetime:
    """For columns of date and time: no further than the last year that they know."""
    return from_ms(min(max(at_ms, 0), _YEAR_9999_MS))


def _steps(session: AgentSession, before: int) -> Iterable[Event]:
    rows = Step.objects.filter(session_id=session.pk, at_ms__lt=before).order_by("-at_ms", "-number")
    return [Event(from_ms(row.at_ms), "step", row.text, number=row.number) for row in rows[: PAGE + 1]]


def _statuses(session: AgentSession, before: int) -> Iterable[Event]:
    earlier = Window(Lag("status_code"), order_by=F("at_ms").asc())
    rows = (
        Snapshot.objects.filter(session_id=session.pk, at_ms__lt=before)
        .annotate(earlier=earlier)
        .filter(Q(earlier__isnull=True) | ~Q(earlier=F("status_code")))
        .order_by("-at_ms")
        .values_list("at_ms", "status_code", "earlier")
    )
    return [
        Event(
            from_ms(at_ms),
            "status",
            "First seen" if earlier is None else f"Was {STATUS_OF_CODE.get(earlier, 'unknown')}",
            state=STATUS_OF_CODE.get(code, "unknown"),
        )
        for at_ms, code, earlier in rows[: PAGE + 1]
    ]


def _stops(session: AgentSession, before: int) -> Iterable[Event]:
    rows = StopRequest.objects.filter(session=session, requested_at__lt=_latest(before)).order_by("-pk")
    return [
        Event(
            row.requested_at,
            "stop",
            row.reason,
            who=row.requested_by_name,
            stop_id=row.pk,
            state=row.get_strategy_display(),
        )
        for row in rows[: PAGE + 1]
    ]


def _proofs(session: AgentSession, before: int) -> Iterable[Event]:
    rows = StopRequest.objects.filter(session=session, ended_at__lt=_latest(before)).order_by("-pk")
    return [
        Event(
            row.ended_at,
            "proof",
            row.outcome or row.get_state_display(),
            stop_id=row.pk,
            state=row.get_strategy_display(),
        )
        for row in rows[: PAGE + 1]
        if row.ended_at
    ]


def _pictures(session: AgentSession, before: int) -> Iterable[Event]:
    rows = Screenshot.objects.filter(session=session, taken_at__lt=_latest(before)).order_by("-taken_at")
    return [
        Event(row.taken_at, "picture", "", number=row.step_count, picture=row.content_hash)
        for row in rows[: PAGE + 1]
    ]


def _control(session: AgentSession, before: int) -> Iterable[Event]:
    rows = AuditEntry.objects.filter(session=session, action__in=CONTROL_ACTS, at__lt=_latest(before))
    return [
        Event(row.at, "control", CONTROL_ACTS[row.action], who=row.actor_name)
        for row in rows.order_by("-at")[: PAGE + 1]
    ]


def _priced(session: AgentSession, events: Sequence[Event], with_costs: bool) -> tuple[Event, ...]:
    if not with_costs:
        return tuple(events)
    numbers = [event.number for event in events if event.kind == "step" and event.number is not None]
    costs = _step_costs(session, numbers)
    return tuple(
        event._replace(cost_microusd=costs.get(event.number)) if event.kind == "step" else event
        for event in events
    )


def _step_costs(session: AgentSession, numbers: Sequence[int]) -> dict[int | None, int]:
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


def _texts(session: AgentSession, numbers: Sequence[int]) -> dict[int, str]:
    """Of each step its summary; where none was read, that of the last one before it."""
    if not numbers:
        return {}
    rows = Step.objects.filter(session_id=session.pk, number__gte=min(numbers), number__lte=max(numbers))
    known = dict(rows.values_list("number", "text"))
    texts, last = {}, ""
    for number in range(min(numbers), max(numbers) + 1) if max(numbers) - min(numbers) < 10_000 else numbers:
        last = known.get(number, last)
        texts[number] = last
    return texts
