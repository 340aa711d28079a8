"""Accounts and sessions as the poller would have stored them.  Any column by keyword; the rest is plausible.

session = make_session(status="idle", title="<b>nasty</b>", total_cost_microusd=1_230_000)
"""

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling import words
from sessions_app.types import FINAL_STATUSES

_numbers = count(1)


def make_account(**columns: Any) -> Account:
    """An account that was read a second ago."""
    number = next(_numbers)
    defaults = {
        "slug": f"account-{number}",
        "name": f"Account {number}",
        "base_url": "http://127.0.0.1:9/api/v3",
        "api_key": "bu_test",
        "last_read_at": timezone.now() - timedelta(seconds=1),
    }
    return Account.objects.create(**defaults | columns)


def make_session(**columns: Any) -> AgentSession:
    """A running session (or one of `status`) of `account`; without one, of the first there is, or of a new one."""
    made = AgentSession.objects.create(**session_columns(**columns))
    words.index([made.pk])
    return made


def make_sessions(number: int, **columns: Any) -> list[AgentSession]:
    """Many alike, in one statement."""
    account = columns.pop("account", None) or _any_account()
    made = AgentSession.objects.bulk_create(
        AgentSession(**session_columns(account=account, **columns)) for _ in range(number)
    )
    words.index([session.pk for session in made])
    return made


def session_columns(**columns: Any) -> dict[str, Any]:
    """All columns of a session, for those who create it themselves."""
    now = timezone.now()
    status = columns.get("status", "running")
    ended = status in FINAL_STATUSES
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "account": columns.get("account") or _any_account(),
        "uuid": uuid4(),
        "status": status,
        "model": "claude-opus-4.6",
        "title": f"Compare offers, part {number}",
        "last_step": "Opened the second result",
        "step_count": 12,
        "max_cost_microusd": 5_000_000,
        "llm_cost_microusd": 900_000,
        "proxy_cost_microusd": 100_000,
        "browser_cost_microusd": 230_000,
        "total_cost_microusd": 1_230_000,
        "tokens_in": 45_000,
        "tokens_out": 3_200,
        "has_live_url": not ended,
        "created_at": now - timedelta(minutes=12),
        "updated_at": now - timedelta(seconds=3),
        "observed_at": now - timedelta(seconds=2),
        "changed_at": now - timedelta(seconds=2),
        "first_seen_at": now - timedelta(minutes=11),
        "is_live": not ended,
        "status_since": now - timedelta(minutes=4),
        "progress_at": now - timedelta(seconds=5),
        "step_repeats": 1,
        "burn_microusd_per_min": 0 if ended else 120_000,
        "burn_at": now - timedelta(seconds=2),
        "ended_at": now - timedelta(seconds=30) if ended else None,
    }
    if isinstance(columns.get("uuid"), str):
        columns["uuid"] = UUID(columns["uuid"])
    return defaults | columns


def _any_account() -> Account:
    return Account.objects.order_by("pk").first() or make_account()
