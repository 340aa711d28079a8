"""What somebody should know before they stop something."""

from typing import NamedTuple

from sessions_app.models import AgentSession, StopRequest
from sessions_app.models.stop import OPEN_STATES
from sessions_app.types import Status, Strategy

REASONS = ("Going round in circles", "Too expensive", "Wrong task", "Stuck", "No longer needed")


class Question(NamedTuple):
    session: AgentSession
    strategy: Strategy
    open_stop: StopRequest | None
    """The same stop, asked for already: asking again joins it."""
    is_so_already: bool
    """As far as we know; only a fresh read decides."""
    reasons: tuple[str, ...] = REASONS


def question(session: AgentSession, strategy: Strategy) -> Question:
    open_ones = StopRequest.objects.filter(session=session, strategy=strategy, state__in=OPEN_STATES)
    is_over = session.is_final or session.gone_at is not None
    return Question(
        session=session,
        strategy=strategy,
        open_stop=open_ones.first(),
        is_so_already=is_over or (strategy == Strategy.TASK and session.status == Status.IDLE),
    )
