"""The stop record: every stop asked for, as a receipt and as a list."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.utils.dateparse import parse_datetime

from sessions_app.models import AgentSession, StopAttempt, StopRequest
from sessions_app.models.stop import OPEN_STATES, StopState
from sessions_app.types import Status, Strategy

PAGE = 50
OFFER_AFTER = timedelta(seconds=20)
"""A task may take that long to let go; one that still runs then is offered a harder stop."""

OPEN, STATE_CHOICES = "open", [("open", "Under way"), *StopState.choices]

ANSWERS = {
    "accepted": "accepted",
    "refused": "refused",
    "unknown": "no answer",
    "not_sent": "not sent",
}


class Mark(NamedTuple):
    """One of the receipt's three stages.  `look` is done, now, todo, or bad."""

    name: str
    look: str
    text: str
    at: datetime | None = None
    steps: int | None = None
    cost_microusd: int | None = None


class Receipt(NamedTuple):
    """A stop as people follow it: asked, accepted, confirmed by reading the session again."""

    stop: StopRequest
    session: AgentSession
    stages: tuple[Mark, Mark, Mark]
    attempts: tuple[StopAttempt, ...]
    seconds: int | None
    """From the click to the proof."""
    steps_after: int | None
    cost_after_microusd: int | None
    offer_end: bool
    """The task goes on although its stop was asked for: ending the session is the next thing to try."""


class StopFilter(NamedTuple):
    """What the address bar asks for; unknown words ask for nothing in particular."""

    state: str = ""
    person: str = ""
    strategy: str = ""
    before: tuple[datetime, int] | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "StopFilter":
        state, strategy = query.get("state", ""), query.get("strategy", "")
        return cls(
            state=state if state in dict(STATE_CHOICES) else "",
            person=query.get("person", "")[:150].replace("\0", ""),
            strategy=strategy if strategy in set(Strategy) else "",
            before=_place(query.get("before", "")),
        )


class StopPage(NamedTuple):
    """A page of the record, newest first; `before` asks for the next one."""

    receipts: tuple[Receipt, ...]
    before: str
    people: tuple[str, ...]


def receipt_of(stop: StopRequest, now: datetime) -> Receipt:
    """The receipt, from the row and its attempts (`attempts` and `session` are best prefetched)."""
    return Receipt(
        stop=stop,
        session=stop.session,
        stages=(_asked(stop), _accepted(stop), _proven(stop)),
        attempts=tuple(stop.attempts.all()),
        seconds=round((stop.ended_at - stop.requested_at).total_seconds()) if stop.ended_at else None,
        steps_after=_difference(stop.steps_at_proof, stop.steps_at_click),
        cost_after_microusd=_difference(stop.cost_at_proof_microusd, stop.cost_at_click_microusd),
        offer_end=_goes_on(stop, now),
    )


def receipt(pk: int, now: datetime) -> Receipt | None:
    """The receipt of one stop; None when there is no such stop."""
    stop = _with_attempts(StopRequest.objects.filter(pk=pk)).first()
    return receipt_of(stop, now) if stop else None


def receipts_of(session: AgentSession, now: datetime) -> list[Receipt]:
    """All stops of a session, newest first."""
    stops = _with_attempts(StopRequest.objects.filter(session=session)).order_by("-requested_at", "-pk")
    return [receipt_of(stop, now) for stop in stops[:PAGE]]


def stop_page(chosen: StopFilter, now: datetime) -> StopPage:
    """PAGE stops that match."""
    stops = list(_with_attempts(_matching(chosen)).order_by("-requested_at", "-pk")[: PAGE + 1])
    last = stops[PAGE - 1] if len(stops) > PAGE else None
    people = StopRequest.objects.order_by("requested_by_name").values_list("requested_by_name", flat=True)
    return StopPage(
        receipts=tuple(receipt_of(stop, now) for stop in stops[:PAGE]),
        before=f"{last.requested_at.isoformat()}_{last.pk}" if last else "",
        people=tuple(people.distinct()[:200]),
    )


def _with_attempts(stops: QuerySet[StopRequest]) -> QuerySet[StopRequest]:
    attempts = Prefetch("attempts", StopAttempt.objects.order_by("number"))
    return stops.select_related("session").prefetch_related(attempts)


def _matching(chosen: StopFilter) -> QuerySet[StopRequest]:
    stops = StopRequest.objects.all()
    if chosen.state == OPEN:
        stops = stops.filter(state__in=OPEN_STATES)
    elif chosen.state:
        stops = stops.filter(state=chosen.state)
    if chosen.person:
        stops = stops.filter(requested_by_name=chosen.person)
    if chosen.strategy:
        stops = stops.filter(strategy=chosen.strategy)
    if chosen.before:
        at, pk = chosen.before
        stops = stops.filter(Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=pk))
    return stops


def _place(text: str) -> tuple[datetime, int] | None:
    moment, _, pk = text.rpartition("_")
    try:
        at = parse_datetime(moment.replace(" ", "+"))
    except (ValueError, ValidationError):
        return None
    if at is None or at.tzinfo is None or not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return at, int(pk)


def _asked(stop: StopRequest) -> Mark:
    text = f"by {stop.requested_by_name}" if stop.requested_by_name else "by Watchfloor"
    return Mark("Asked", "done", text, stop.requested_at, stop.steps_at_click, stop.cost_at_click_microusd)


def _accepted(stop: StopRequest) -> Mark:
    name = "Accepted"
    if stop.accepted_at:
        return Mark(name, "done", "Browser Use Cloud took it", stop.accepted_at)
    match stop.state:
        case StopState.REQUESTED:
            again = (
                f"Sent {stop.attempts_made}×, waiting to try again"
                if stop.attempts_made
                else "Waiting to be sent"
            )
            return Mark(name, "now", again)
        case StopState.SENDING:
            return Mark(name, "now", "Being sent", stop.sent_at)
        case StopState.UNKNOWN | StopState.VERIFYING:
            return Mark(name, "now", "Sent, no clear answer: what counts is what we read", stop.sent_at)
        case StopState.REJECTED:
            return Mark(name, "bad", "Refused", stop.ended_at)
        case StopState.FAILED:
            return Mark(name, "bad", "Never answered" if stop.attempts_made else "Could not be sent")
        case StopState.CONFIRMED:
            return Mark(name, "done", "Never answered, but it arrived", stop.sent_at)
        case _:
            return Mark(name, "todo", "Not needed")


def _proven(stop: StopRequest) -> Mark:
    at, proof = stop.ended_at, (stop.steps_at_proof, stop.cost_at_proof_microusd)
    match stop.state:
        case StopState.CONFIRMED:
            return Mark("Confirmed", "done", "by reading the session again", at, *proof)
        case StopState.MOOT:
            return Mark("Confirmed", "done", "It was so already; nothing was sent", at, *proof)
        case StopState.REJECTED | StopState.FAILED:
            return Mark("Confirmed", "bad", "Not confirmed", at, *proof)
        case StopState.CANCELLED:
            return Mark("Confirmed", "todo", "Withdrawn", at)
        case _ if stop.satisfied_at:
            return Mark("Confirmed", "now", "Read once, reading once more to be sure", stop.satisfied_at)
        case StopState.VERIFYING | StopState.UNKNOWN:
            return Mark("Confirmed", "now", "Reading the session again")
        case _:
            return Mark("Confirmed", "todo", "Then we read the session again")


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier


def _goes_on(stop: StopRequest, now: datetime) -> bool:
    session = stop.session
    if (
        stop.strategy != Strategy.TASK
        or session.is_final
        or session.gone_at
        or session.stopping == Strategy.SESSION
    ):
        return False
    if stop.state in (StopState.FAILED, StopState.REJECTED):
        return True
    runs = session.status == Status.RUNNING
    if stop.is_open:
        return runs and now - stop.requested_at >= OFFER_AFTER
    return runs and session.observed_at > (stop.ended_at or now)
