"""A stop's row, as the rules look at it."""

from sessions_app.models import StopRequest
from sessions_app.rules.stopping import MAY_HAVE_ARRIVED, Stop


def facts_of(stop: StopRequest) -> Stop:
    """What decides.  An attempt without an answer may have arrived: its sender did not live to tell."""
    answers = list(stop.attempts.values_list("answer", flat=True))
    return Stop(
        strategy=stop.strategy,
        state=stop.state,
        requested_at=stop.requested_at,
        sent_at=stop.sent_at,
        sends=sum(not answer or answer in MAY_HAVE_ARRIVED for answer in answers),
        tries=len(answers),
        accepted=stop.accepted_at is not None,
        task=stop.task_message,
        known_at=stop.known_at,
        satisfied_at=stop.satisfied_at,
    )
