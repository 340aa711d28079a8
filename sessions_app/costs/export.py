"""Costs as files, streamed: a chunk of sessions at a time, so that a year of them needs no more memory than a page.

Under ASGI only an asynchronous iterator streams; a plain one is collected to its end first.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection

from sessions_app.costs.books import SUMS, Spend, bookings
from sessions_app.costs.question import CostQuestion
from sessions_app.costs.report import SessionCost, with_names
from sessions_app.models import AgentSession
from sessions_app.rules.history import from_hour
from sessions_app.rules.money import MICRO

CHUNK = 500
COLUMNS = (
    "session_id", "title", "status", "outcome", "created_at", "ended_at", "account", "model", "profile_id",
    "profile", "workspace_id", "workspace", "proxy_country", "steps", "total_usd", "llm_usd", "proxy_usd",
    "browser_usd", "rest_usd", "total_microusd", "total_ever_microusd",
)  # fmt: skip
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""With these a spreadsheet takes text for a formula, full-width ones included."""


async def as_csv(asked: CostQuestion) -> AsyncIterator[bytes]:
    """A line per session, in the order in which we first saw them.  Begins with a byte order mark: Excel wants it."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}".encode() + _lines([COLUMNS])
    async for chunk in chunks(asked):
        yield _lines([safe(value) for value in _record(cost).values()] for cost in chunk)


async def as_json(asked: CostQuestion) -> AsyncIterator[bytes]:
    """One object: what was asked, the sessions, and at its end the total, which is the sum of just these sessions."""
    yield msgspec.json.encode(_head(asked))[:-1] + b',"sessions":['
    total, comma = 0, b""
    async for chunk in chunks(asked):
        total += sum(cost.spend.total for cost in chunk)
        yield comma + b",\n".join(msgspec.json.encode(_record(cost)) for cost in chunk)
        comma = b",\n"
    yield b'],"total_usd":"%s","total_microusd":%d}\n' % (_usd(total).encode(), total)


async def chunks(asked: CostQuestion) -> AsyncIterator[list[SessionCost]]:
    """The sessions that spent something, each once, CHUNK at a time by their id."""
    after = 0
    while chunk := await sync_to_async(_chunk)(asked, after):
        yield chunk
        after = chunk[-1].session.pk


def safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front."""
    dangerous = isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS)
    return f"'{value}" if dangerous and not _is_number(value) else value


def _is_number(text: str) -> bool:
    """Our own amounts: `-0.5` is a number, `-1+1` is not."""
    digits = text.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()


def _chunk(asked: CostQuestion, after: int) -> list[SessionCost]:
    rows = (
        bookings(asked)
        .filter(session_id__gt=after)
        .values("session_id")
        .annotate(**SUMS)
        .order_by("session_id")[:CHUNK]
    )
    spends = {row["session_id"]: Spend.of(row) for row in rows}
    sessions = AgentSession.objects.select_related("account").in_bulk(spends)
    try:
        return list(with_names([(sessions[pk], spend) for pk, spend in spends.items()]))
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
        session.account.name, session.model, str(session.profile_id or ""), cost.profile,
        str(session.workspace_id or ""), cost.workspace, session.proxy_country, session.step_count,
        _usd(spend.total), _usd(spend.llm), _usd(spend.proxy), _usd(spend.browser), _usd(spend.rest),
        spend.total, session.total_cost_microusd,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _usd(microusd: int) -> str:
    """Dollars with all six digits, for machines: `1.230000`, `-0.500000`."""
    sign = "-" if microusd < 0 else ""
    return f"{sign}{abs(microusd) // MICRO}.{abs(microusd) % MICRO:06d}"


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
