"""What happened in a session, newest first: steps, changes of status, stops, pictures, who took control or acknowledged."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q, Window
from django.db.models.functions import Lag

from sessions_app.models import AgentSession, AuditEntry, Screenshot, Snapshot, Step, StopRequest
from sessions_app.rules.history import STATUS_OF_CODE, from_ms, to_ms

from .film import latest, step_costs

PAGE = 100

TAKEN, RELEASED = "control.taken", "control.released"
ACKNOWLEDGED, SNOOZED, WOKEN = "attention.acknowledged", "attention.snoozed", "attention.woken"
CONTROL_ACTS = {TAKEN: "took control of the browser", RELEASED: "gave control back"}
ACTS = CONTROL_ACTS | {
    ACKNOWLEDGED: "acknowledged what it needs attention for",
    SNOOZED: "snoozed what it needs attention for",
    WOKEN: "took that back: it needs attention",
}


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
    rows = StopRequest.objects.filter(session=session, requested_at__lt=latest(before)).order_by("-pk")
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
    rows = StopRequest.objects.filter(session=session, ended_at__lt=latest(before)).order_by("-pk")
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
    rows = Screenshot.objects.filter(session=session, taken_at__lt=latest(before)).order_by("-taken_at")
    return [
        Event(row.taken_at, "picture", "", number=row.step_count, picture=row.content_hash)
        for row in rows[: PAGE + 1]
    ]


def _control(session: AgentSession, before: int) -> Iterable[Event]:
    rows = AuditEntry.objects.filter(session=session, action__in=ACTS, at__lt=latest(before))
    return [
        Event(row.at, "control", _act(row), who=row.actor_name) for row in rows.order_by("-at")[: PAGE + 1]
    ]


def _act(row: AuditEntry) -> str:
    taken_from = row.detail.get("taken_from") if isinstance(row.detail, dict) else None
    return f"took control of the browser from {taken_from}" if taken_from else ACTS[row.action]


def _priced(session: AgentSession, events: Sequence[Event], with_costs: bool) -> tuple[Event, ...]:
    if not with_costs:
        return tuple(events)
    numbers = [event.number for event in events if event.kind == "step" and event.number is not None]
    costs = step_costs(session, numbers)
    return tuple(
        event._replace(cost_microusd=costs.get(event.number)) if event.kind == "step" else event
        for event in events
    )
