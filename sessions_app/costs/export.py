"""Costs as files, streamed: a chunk of sessions at a time, so that a year of them needs no more memory than a page.

Under ASGI only an asynchronous iterator streams; a plain one is collected to its end first.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection

from sessions_app.costs.books import SUMS, bookings
from sessions_app.costs.question import CostQuestion
from sessions_app.costs.report import SessionCost, session_costs
from sessions_app.costs.spend import Spend
from sessions_app.rules.history import from_hour
from sessions_app.rules.money import format_all
from sessions_app.rules.sheets import BEGIN, lines, safe

CHUNK = 500
COLUMNS = (
    "session_id", "title", "status", "outcome", "created_at", "ended_at", "account", "model", "profile_id",
    "profile", "profile_user_id", "workspace_id", "workspace", "proxy_country", "steps", "total_usd", "llm_usd", "proxy_usd",
    "browser_usd", "rest_usd", "idle_usd", "total_microusd", "total_ever_microusd",
)  # fmt: skip


async def as_csv(asked: CostQuestion) -> AsyncIterator[bytes]:
    """A line per session, in the order in which we first saw them."""
    yield BEGIN + lines([COLUMNS])
    async for chunk in chunks(asked):
        yield lines([safe(value) for value in _record(cost).values()] for cost in chunk)


async def as_json(asked: CostQuestion) -> AsyncIterator[bytes]:
    """One object: what was asked, the sessions, and at its end the total, which is the sum of just these sessions."""
    yield msgspec.json.encode(_head(asked))[:-1] + b',"sessions":['
    total, comma = 0, b""
    async for chunk in chunks(asked):
        total += sum(cost.spend.total for cost in chunk)
        yield comma + b",\n".join(msgspec.json.encode(_record(cost)) for cost in chunk)
        comma = b",\n"
    yield b'],"total_usd":"%s","total_microusd":%d}\n' % (format_all(total).encode(), total)


async def chunks(asked: CostQuestion) -> AsyncIterator[tuple[SessionCost, ...]]:
    """The sessions that spent something, each once, CHUNK at a time by their id."""
    after = 0
    while chunk := await sync_to_async(_chunk)(asked, after):
        yield chunk
        after = chunk[-1].session.pk


def _chunk(asked: CostQuestion, after: int) -> tuple[SessionCost, ...]:
    rows = (
        bookings(asked)
        .filter(session_id__gt=after)
        .values("session_id")
        .annotate(**SUMS)
        .order_by("session_id")[:CHUNK]
    )
    spends = {row["session_id"]: Spend.of(row) for row in rows}
    try:
        return session_costs(spends)
    finally:
        if not connection.in_atomic_block:
            close_old_connections()  # a slow reader must not hold one between two chunks


def _head(asked: CostQuestion) -> dict[str, Any]:
    return {
        "from": None if asked.first_hour is None else from_hour(asked.first_hour),
        "before": None if asked.end_hour is None else from_hour(asked.end_hour),
        "time_zone": str(asked.tz),
        "only": dict(asked.only),
    }


def _record(cost: SessionCost) -> dict[str, Any]:
    session, spend = cost.session, cost.spend
    values = (
        str(session.uuid), session.title, session.status, cost.outcome.key,
        session.created_at.isoformat(), session.ended_at.isoformat() if session.ended_at else "",
        session.account.name, session.model, str(session.profile_id or ""), cost.profile, cost.customer,
        str(session.workspace_id or ""), cost.workspace, session.proxy_country, session.step_count,
        format_all(spend.total), format_all(spend.llm), format_all(spend.proxy), format_all(spend.browser), format_all(spend.rest),
        format_all(spend.idle),
        spend.total, session.total_cost_microusd,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
