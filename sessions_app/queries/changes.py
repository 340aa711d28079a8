"""What changed since a moment: the live push asks for it when a browser comes back, or Redis was away."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sessions_app.models import AgentSession

MOST = 20_000
"""After a long pause: whoever missed more than the newest so many fetches its page anew anyway."""


class Change(NamedTuple):
    """A session that changed, by our ids (`live.house.Change`)."""

    session_id: int
    account_id: int
    is_new: bool
    """First seen at that moment or later."""


def of(session_ids: Iterable[int], since: datetime) -> list[int]:
    """Which of these sessions changed at that moment or later."""
    return list(
        AgentSession.objects.filter(pk__in=list(session_ids), changed_at__gte=since).values_list(
            "pk", flat=True
        )
    )


def of_any(since: datetime) -> list[Change]:
    """Every change at that moment or later, the latest first."""
    rows = AgentSession.objects.filter(changed_at__gte=since).order_by("-changed_at")
    columns = rows.values_list("pk", "account_id", "first_seen_at")[:MOST]
    return [Change(pk, account_id, first_seen_at >= since) for pk, account_id, first_seen_at in columns]
