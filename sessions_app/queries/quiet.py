"""What somebody has acknowledged or snoozed: it calls nobody, and is not forgotten."""

from typing import NamedTuple

from sessions_app.models import AgentSession
from sessions_app.queries import floor
from sessions_app.queries.rows import Reason, reasons_of

MOST = 50


class Quiet(NamedTuple):
    """Live sessions of which all reasons are known, the latest first; `more` that are not shown."""

    sessions: tuple[tuple[AgentSession, list[Reason]], ...]
    more: int

    @property
    def total(self) -> int:
        return len(self.sessions) + self.more


def quiet() -> Quiet:
    """Two queries, one when there is none."""
    known = floor.matching(floor.FloorFilter()).filter(attention_rank__lte=0, attention_quiet__gt=0)
    found = list(known.only("uuid", "title", "task", "attention").order_by("-changed_at", "-pk")[: MOST + 1])
    more = known.count() - MOST if len(found) > MOST else 0
    return Quiet(tuple((session, reasons_of(session)) for session in found[:MOST]), more)
