"""One stop, one step: read, decide, and where the decision says so, send.  Whoever holds the stop calls this:
the view right after the click, the executor of each web process, and the timetable's task."""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.utils import timezone

from sessions_app.models import StopRequest
from sessions_app.models.stop import StopState
from sessions_app.rules.stopping import (
    Next,
    Outcome,
    State,
    Stop,
    after_no_reading,
    after_reading,
    should_escalate,
)
from sessions_app.stopping import deliver, ending, verify
from sessions_app.stopping.budget import Budget
from sessions_app.stopping.claim import claim, claim_next, put, take_from_the_dead
from sessions_app.stopping.facts import facts_of
from sessions_app.stopping.permission import still_may
from sessions_app.stopping.request import request_stop
from sessions_app.stopping.words import words_for
from sessions_app.types import Strategy

log = logging.getLogger(__name__)
PAUSE_WITHOUT_LEAVE = timedelta(seconds=5)


class Pace(NamedTuple):
    """Seconds for a step and its calls.  All of them together stay below the lease."""

    in_all: float
    session: float
    messages: float
    post: float


AT_THE_CLICK = Pace(in_all=2.9, session=0.7, messages=0.7, post=2.0)
"""The person waits: what is not done by then goes on without them."""
BEHIND_THE_SCENES = Pace(in_all=20.0, session=5.0, messages=5.0, post=10.0)


def try_now(stop: StopRequest) -> None:
    """A first step right after the click, in three seconds at most.  Never raises: others will go on with it."""
    try:
        if held := claim(stop.pk, timezone.now()):
            step(held, AT_THE_CLICK)
    except DatabaseError:
        log.exception("stop %s: the first try broke off; it is taken up again within 30 s", stop.pk)


def work_due(most: int = 50) -> int:
    """Steps for whatever is due, until nothing is.  Returns how many were taken."""
    taken = 0
    take_from_the_dead(timezone.now())
    while taken < most and (stop := claim_next(timezone.now())):
        taken += 1
        try:
            step(stop, BEHIND_THE_SCENES)
        except (
            Exception
        ):  # one broken stop must not hold up the others; its lease lapses, then it is tried again
            log.exception("stop %s: this step broke off", stop.pk)
    return taken


def step(stop: StopRequest, pace: Pace) -> None:
    """Read the session, decide, carry it out."""
    budget = Budget(pace.in_all)
    _bury_the_dead(stop)
    known = facts_of(stop)
    read = verify.read(stop, budget, pace.session, pace.messages)
    now = timezone.now()
    if read.reading and stop.escalate and should_escalate(known, read.reading, now):
        escalate(stop, now)
    if read.reading:
        decision = after_reading(known, read.reading, now)
    else:
        decision = after_no_reading(known, now)
    if decision.state != State.REQUESTED:
        ending.move(stop, decision, words_for(stop, known, decision.state, read.reading), read.columns)
    elif still_may(stop):
        deliver.send(stop, known, read.columns, budget.left_s(pace.post))
    else:
        _withdraw(stop, known, read.columns)


def escalate(stop: StopRequest, now: datetime) -> None:
    """Ask for the end of the session, in the name of whoever asked for the stop; once."""
    with transaction.atomic():
        if put(stop, escalate=False):
            reason = f"The task went on after stop #{stop.pk}"
            request_stop(
                stop.session, Strategy.SESSION, stop.requested_by, reason, now, escalated_from=stop.pk
            )


def _bury_the_dead(stop: StopRequest) -> None:
    """It was being sent, and the lease has lapsed: whoever sent it was killed in between.  The outcome is unknown."""
    if stop.state != StopState.SENDING:
        return
    stop.attempts.filter(answer="").update(
        answer=Outcome.UNKNOWN,
        ended_at=timezone.now(),
        detail="Whoever sent this was cut off before the answer came.",
    )
    put(stop, state=State.UNKNOWN)


def _withdraw(stop: StopRequest, known: Stop, columns: dict[str, object]) -> None:
    """Who asked may not any more.  What was sent cannot be called back, so that is followed to its end."""
    now = timezone.now()
    if known.sends:
        resting = State.VERIFYING if known.accepted else State.UNKNOWN
        ending.move(stop, Next(resting, now + PAUSE_WITHOUT_LEAVE, known.satisfied_at), "", columns)
    else:
        words = f"Not sent: {stop.requested_by_name} may not do this any more."
        ending.move(stop, Next(State.CANCELLED, now), words, columns)
