"""A stop as people follow it: asked, accepted, confirmed by reading the session again."""

import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from sessions_app.models import AgentSession, StopAttempt, StopRequest
from sessions_app.models.stop import StopState
from sessions_app.rules.stopping import RESEND_AFTER, Outcome
from sessions_app.types import Status, Strategy

QUEUED_AFTER = timedelta(seconds=5)
"""A stop that nobody has taken up by then is said to be queued: whoever should send it is away."""
OFFERED_FOR = timedelta(minutes=15)
"""A stop that failed longer ago says nothing about what runs now."""

ANSWERS: dict[str, str] = {
    "": "under way",
    Outcome.ACCEPTED: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.UNKNOWN: "no clear answer",
    Outcome.NOT_SENT: "not sent",
    Outcome.LATER: "asked to wait",
}
LOOKS: dict[str, tuple[str, str]] = {
    StopState.CONFIRMED: ("is-succeeded", "succeeded"),
    StopState.MOOT: ("is-idle", "succeeded"),
    StopState.CANCELLED: ("is-idle", "odd"),
    StopState.REJECTED: ("is-failed", "failed"),
    StopState.FAILED: ("is-failed", "failed"),
}
"""State → CSS class and icon; open ones look like work under way."""


class Mark(NamedTuple):
    """One of the receipt's three stages.  `look` is done, now, todo, or bad."""

    name: str
    look: str
    text: str
    at: datetime | None = None
    steps: int | None = None
    cost_microusd: int | None = None


class Try(NamedTuple):
    """One attempt, for people.  `look` as of a stage."""

    row: StopAttempt
    look: str
    word: str


class Receipt(NamedTuple):
    """What the receipt shows, ready for `templates/stops/_receipt.html`."""

    stop: StopRequest
    session: AgentSession
    stages: tuple[Mark, Mark, Mark]
    tries: tuple[Try, ...]
    seconds: int | None
    """From the click to the end."""
    steps_after: int | None
    """Since the click: until the proof, or until now while there is none."""
    cost_after_microusd: int | None
    is_queued: bool
    """Nothing has left the house, and nothing is leaving it right now."""
    offer_end: bool
    """The task goes on although its stop was asked for: ending the session is the next thing to try."""
    is_back: bool
    """The session had ended, and upstream shows it alive again."""
    mark: str = ""
    """Changes with whatever the receipt shows: a page that has this one needs no other copy."""

    @property
    def look(self) -> str:
        return LOOKS.get(self.stop.state, ("is-stopping", ""))[0]

    @property
    def icon(self) -> str:
        return LOOKS.get(self.stop.state, ("", "stopping"))[1]


def receipt_of(stop: StopRequest, now: datetime) -> Receipt:
    """The receipt, from the row and its attempts (`attempts` and `session` are best prefetched)."""
    steps, cost = _figures(stop)
    found = Receipt(
        stop=stop,
        session=stop.session,
        stages=(_asked(stop), _accepted(stop), _proven(stop)),
        tries=tuple(
            Try(one, _look_of(one), ANSWERS.get(one.answer, one.answer)) for one in stop.attempts.all()
        ),
        seconds=round((stop.ended_at - stop.requested_at).total_seconds()) if stop.ended_at else None,
        steps_after=_difference(steps, stop.steps_at_click),
        cost_after_microusd=_difference(cost, stop.cost_at_click_microusd),
        is_queued=_is_queued(stop, now),
        offer_end=_goes_on(stop, now),
        is_back=_is_back(stop),
    )
    return found._replace(mark=_mark(found))


def _mark(found: Receipt) -> str:
    stop = found.stop
    tries = [(one.row.number, one.row.answer) for one in found.tries]
    figures = (found.steps_after, found.cost_after_microusd, found.is_queued, found.offer_end, found.is_back)
    shown = (
        stop.state,
        stop.escalate,
        stop.satisfied_at,
        stop.accepted_at,
        tries,
        figures,
        found.session.name,
    )
    return f"{zlib.crc32(repr(shown).encode('utf-8', 'replace')):08x}"


# ---- the three stages ------------------------------------------------------------------------------


def _asked(stop: StopRequest) -> Mark:
    was = stop.status_at_click.replace("_", " ")
    text = f"while it was {was}" if was else "at the click"
    return Mark("Asked", "done", text, stop.requested_at, stop.steps_at_click, stop.cost_at_click_microusd)


def _accepted(stop: StopRequest) -> Mark:
    name = "Accepted"
    if stop.accepted_at:
        return Mark(name, "done", "Browser Use took it", stop.accepted_at)
    match stop.state:
        case StopState.REQUESTED if stop.sent_at:
            return Mark(name, "now", "Sent without a clear answer; about to be sent again", stop.sent_at)
        case StopState.REQUESTED if stop.attempts_made:
            return Mark(name, "now", "Not sent yet; tried again in a moment")
        case StopState.REQUESTED:
            return Mark(name, "now", "Waiting to be sent")
        case StopState.SENDING:
            return Mark(name, "now", "Being sent", stop.sent_at)
        case StopState.UNKNOWN | StopState.VERIFYING:
            return Mark(name, "now", "Sent, no clear answer: what counts is what we read", stop.sent_at)
        case StopState.REJECTED:
            return Mark(name, "bad", "Refused", stop.ended_at)
        case StopState.FAILED:
            return Mark(name, "bad", "Never answered" if stop.sent_at else "Could not be sent")
        case StopState.CONFIRMED:
            return Mark(name, "done", "Never answered, but it arrived", stop.sent_at)
        case _:
            return Mark(name, "todo", "Nothing was sent")


def _proven(stop: StopRequest) -> Mark:
    name, at, proof = "Confirmed", stop.ended_at, (stop.steps_at_proof, stop.cost_at_proof_microusd)
    match stop.state:
        case StopState.CONFIRMED:
            return Mark(name, "done", "by reading the session twice", at, *proof)
        case StopState.MOOT:
            return Mark(name, "done", "It was so already", at, *proof)
        case StopState.REJECTED | StopState.FAILED:
            return Mark(name, "bad", "Not confirmed", at)
        case StopState.CANCELLED:
            return Mark(name, "todo", "Withdrawn", at)
        case _ if stop.satisfied_at:
            return Mark(name, "now", "Read once, reading once more to be sure", stop.satisfied_at)
        case StopState.VERIFYING | StopState.UNKNOWN:
            return Mark(name, "now", "Reading the session again")
        case _:
            return Mark(name, "todo", "Then we read the session again")


# ---- figures and offers ----------------------------------------------------------------------------


def _look_of(attempt: StopAttempt) -> str:
    if not attempt.answer:
        return "now"
    return "done" if attempt.answer == Outcome.ACCEPTED else "bad"


def _figures(stop: StopRequest) -> tuple[int | None, int | None]:
    """Steps and cost at the proof; as last read while there is none; of other ends, none."""
    if stop.is_open:
        return stop.session.step_count, stop.session.total_cost_microusd
    return stop.steps_at_proof, stop.cost_at_proof_microusd


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier


def _is_queued(stop: StopRequest, now: datetime) -> bool:
    if stop.state != StopState.REQUESTED or stop.sent_at:
        return False
    return bool(stop.attempts_made) or now - stop.requested_at > QUEUED_AFTER


def _goes_on(stop: StopRequest, now: datetime) -> bool:
    session = stop.session
    is_done_for = session.is_final or session.gone_at or session.stopping == Strategy.SESSION
    if stop.strategy != Strategy.TASK or is_done_for:
        return False
    if session.status != Status.RUNNING:
        return False
    if stop.is_open:
        return now - stop.requested_at >= RESEND_AFTER
    # After a proof whatever runs is another task.
    return stop.state in (StopState.FAILED, StopState.REJECTED) and now - (stop.ended_at or now) < OFFERED_FOR


def _is_back(stop: StopRequest) -> bool:
    session = stop.session
    if stop.strategy != Strategy.SESSION or stop.ended_at is None:
        return False
    proven = stop.state in (StopState.CONFIRMED, StopState.MOOT)
    return proven and session.is_live and session.observed_at > stop.ended_at
