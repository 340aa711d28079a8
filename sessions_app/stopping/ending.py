"""Where a stop goes next, and what is written when it ends."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sessions_app.access import audit
from sessions_app.live import publish
from sessions_app.models import AgentSession, StopRequest
from sessions_app.rules.stopping import OPEN, Next, State
from sessions_app.stopping.claim import put
from sessions_app.stopping.request import show_stopping

log = logging.getLogger(__name__)
PROVEN = {State.CONFIRMED, State.MOOT}


@transaction.atomic
def move(stop: StopRequest, decision: Next, words: str, learned: dict[str, object]) -> bool:
    """Carry out a decision about a stop that we hold, and let go of it.  False when we held it no longer.

    `words`: what people read about an end.  `learned`: columns to write along.
    """
    now = timezone.now()
    seen_before = (stop.state, stop.satisfied_at, stop.accepted_at)
    columns = learned | {
        "state": decision.state,
        "due_at": decision.due_at,
        "satisfied_at": decision.satisfied_at,
    }
    ended = decision.state not in OPEN
    if ended:
        columns |= _end(stop, decision, words, now)
    if not put(stop, **columns, lease_until=None):
        return False
    if ended:
        _announce(stop, now)
    elif (stop.state, stop.satisfied_at, stop.accepted_at) != seen_before:
        show(stop, now)
    return True


def show(stop: StopRequest, now: datetime) -> None:
    """The receipt changed: pages that show the session look again.  In the caller's transaction."""
    AgentSession.objects.filter(pk=stop.session_id).update_shown(now)
    publish.changed_on_commit(stop.session.account_id, [stop.session_id])


def _end(stop: StopRequest, decision: Next, words: str, now: datetime) -> dict[str, object]:
    columns: dict[str, object] = {"ended_at": now, "outcome": words[:500]}
    if decision.state in PROVEN:
        session = stop.session
        session.refresh_from_db(fields=["step_count", "total_cost_microusd"])
        columns |= {
            "steps_at_proof": session.step_count,
            "cost_at_proof_microusd": session.total_cost_microusd,
        }
    return columns


def _announce(stop: StopRequest, now: datetime) -> None:
    show_stopping(stop.session, now)
    detail = {"stop": stop.pk, "strategy": stop.strategy, "state": str(stop.state), "outcome": stop.outcome}
    audit.record(None, "stop.ended", stop.session, **detail)
    if stop.state == State.FAILED:
        log.error("stop %s of session %s was not confirmed: %s", stop.pk, stop.session.uuid, stop.outcome)
