"""The other sides: what one would write first, with the ORM as its documentation shows it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from sessions_app.models import Account, AgentSession, Snapshot
from sessions_app.rules.history import status_code, to_ms

FIELDS = (
    "status", "model", "title", "last_step", "step_count", "max_cost_microusd", "llm_cost_microusd",
    "proxy_cost_microusd", "browser_cost_microusd", "total_cost_microusd", "tokens_in", "tokens_out",
    "updated_at", "observed_at", "changed_at",
)  # fmt: skip


def columns(account: Account, seen: Any) -> dict[str, Any]:
    """From the official client's session to columns."""
    now = timezone.now()
    return {
        "account": account,
        "status": seen.status.value,
        "model": str(seen.model.value),
        "title": seen.title or "",
        "last_step": seen.last_step_summary or "",
        "step_count": seen.step_count,
        "max_cost_microusd": _micro(seen.max_cost_usd),
        "llm_cost_microusd": _micro(seen.llm_cost_usd),
        "proxy_cost_microusd": _micro(seen.proxy_cost_usd),
        "browser_cost_microusd": _micro(seen.browser_cost_usd),
        "total_cost_microusd": _micro(seen.total_cost_usd),
        "tokens_in": seen.total_input_tokens,
        "tokens_out": seen.total_output_tokens,
        "created_at": seen.created_at,
        "updated_at": seen.updated_at,
        "observed_at": now,
        "changed_at": now,
        "first_seen_at": now,
        "status_since": now,
        "progress_at": now,
        "burn_at": now,
    }


def update_or_create(account: Account, sessions: Iterable[Any]) -> None:
    """Each session, and a snapshot of each."""
    for seen in sessions:
        row, _ = AgentSession.objects.update_or_create(uuid=seen.id, defaults=columns(account, seen))
        Snapshot.objects.create(**_snapshot(row))


def bulk_create(account: Account, sessions: Iterable[Any]) -> None:
    """All sessions in a few statements, changed or not, and a snapshot of each."""
    rows = [AgentSession(uuid=seen.id, **columns(account, seen)) for seen in sessions]
    with transaction.atomic():
        rows = AgentSession.objects.bulk_create(
            rows, batch_size=500, update_conflicts=True, unique_fields=["uuid"], update_fields=FIELDS
        )
        Snapshot.objects.bulk_create([Snapshot(**_snapshot(row)) for row in rows], batch_size=500)


def _micro(money: Any) -> int | None:
    return None if money is None else int(Decimal(str(getattr(money, "root", money))) * 1_000_000)


def _snapshot(row: AgentSession) -> dict[str, Any]:
    names = ("step_count", "llm_cost_microusd", "proxy_cost_microusd", "browser_cost_microusd",
             "total_cost_microusd", "tokens_in", "tokens_out")  # fmt: skip
    values = {name: getattr(row, name) for name in names}
    return values | {
        "session_id": row.pk,
        "at_ms": to_ms(row.observed_at),
        "status_code": status_code(row.status),
    }
