"""Sessions that spend, let in as the poller lets them in: bookings come about as they do in life."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sessions_app.models import Account, AgentSession
from sessions_app.polling.ingest import apply_answers
from sessions_app.types import Answer, SessionData
from tests.support.factories import make_account

NOW = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)


def reading(uuid: UUID, at: datetime, total: int | None, **fields: Any) -> Answer:
    """What upstream says of a session at a moment: its running total in micro-dollars, the rest plausible."""
    part = (total or 0) // 4
    fields.setdefault("created_at", at - timedelta(minutes=5))
    known = {
        "status": "running",
        "model": "claude-opus-4.6",
        "title": f"Errand {str(uuid)[:4]}",
        "updated_at": at,
        "step_count": 3,
        "llm_cost_microusd": part * 2,
        "browser_cost_microusd": part,
        "total_cost_microusd": total,
        "digest": hash((at, total)) >> 1,
    }
    return Answer(at, SessionData(uuid=uuid, **known | fields))


def spend(
    rises: Iterable[tuple[datetime, int]], account: Account | None = None, **fields: Any
) -> AgentSession:
    """A session whose running total stood at these micro-dollars at these moments."""
    account, uuid = account or Account.objects.first() or make_account(), fields.pop("uuid", None) or uuid4()
    for at, total in rises:
        apply_answers(account, [reading(uuid, at, total, **fields)])
    return AgentSession.objects.get(uuid=uuid)
