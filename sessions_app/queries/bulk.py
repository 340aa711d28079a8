"""Bulk stops before anything is asked for: what a list is made from, and what would happen to it."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import QuerySet

from sessions_app.models import AgentSession, BulkItem, BulkStop
from sessions_app.models.stop import StopState
from sessions_app.rules.bulk import confirmation, why_not
from sessions_app.types import Strategy

SHOWN = 500
"""Rows of a list.  What failed comes first; of more than that each has its receipt."""
FAILED = (StopState.FAILED, StopState.REJECTED, StopState.CANCELLED)


# ---- what a list is made from ----------------------------------------------------------------------


class Chosen(NamedTuple):
    """The sessions that a draft is to be made from: our ids, dearest per minute first."""

    session_pks: list[int]
    scope: str
    left_out: int = 0


def choose(sessions: QuerySet[AgentSession], scope: str, most: int | None) -> Chosen:
    """Those of `sessions`, at most `most` (None: all); those that burn most are the ones that are taken."""
    pks = list(sessions.order_by("-burn_microusd_per_min", "-pk").values_list("pk", flat=True))
    taken = pks[:most] if most is not None else pks
    return Chosen(taken, scope, len(pks) - len(taken))


def living() -> QuerySet[AgentSession]:
    """Every session that lives, as far as anybody knows."""
    return AgentSession.objects.filter(is_live=True, account__is_active=True)


def failed_of(bulk: BulkStop) -> QuerySet[AgentSession]:
    """Sessions of a bulk whose stop did not come true."""
    items = BulkItem.objects.filter(bulk=bulk, stop__state__in=FAILED)
    return AgentSession.objects.filter(pk__in=items.values("session_id"))


# ---- before ----------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A session of a draft.  `task_why`, `session_why`: why that stop would skip it, "" when it would not."""

    session: AgentSession
    task_why: str
    session_why: str


class Option(NamedTuple):
    """What one strategy comes to, for this list, as last read."""

    strategy: Strategy
    eligible: int
    skipped: list[tuple[str, int]]
    burn_microusd_per_min: int


class Preview(NamedTuple):
    bulk: BulkStop
    options: list[Option]
    lines: list[Line]
    sessions: int
    confirmation: str

    @property
    def hidden(self) -> int:
        """How many are in the list and not shown."""
        return self.sessions - len(self.lines)


def preview(bulk: BulkStop, strategies: Iterable[Strategy]) -> Preview:
    """What would happen.  One query."""
    sessions = [item.session for item in items_of(bulk)]
    return Preview(
        bulk=bulk,
        options=[_option(strategy, sessions) for strategy in strategies],
        lines=[Line(one, _why(Strategy.TASK, one), _why(Strategy.SESSION, one)) for one in sessions[:SHOWN]],
        sessions=len(sessions),
        confirmation=confirmation(len(sessions), everything=bulk.is_everything),
    )


def _option(strategy: Strategy, sessions: list[AgentSession]) -> Option:
    reasons = [_why(strategy, session) for session in sessions]
    eligible = [session for session, why in zip(sessions, reasons, strict=True) if not why]
    burn = sum(session.burn_microusd_per_min for session in eligible)
    return Option(strategy, len(eligible), Counter(filter(None, reasons)).most_common(), burn)


def _why(strategy: Strategy, session: AgentSession) -> str:
    return why_not(strategy, session.status, is_gone=session.gone_at is not None)


def items_of(bulk: BulkStop) -> QuerySet[BulkItem]:
    return BulkItem.objects.filter(bulk=bulk).select_related("session", "stop").order_by("pk")
