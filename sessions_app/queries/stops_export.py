"""The stop record as a file, streamed a chunk at a time, newest first."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection

from sessions_app.models import StopRequest
from sessions_app.queries.stops import StopFilter, export_page
from sessions_app.rules.money import format_all
from sessions_app.rules.sheets import BEGIN, lines, safe

CHUNK = 500
COLUMNS = (
    "stop", "session_id", "title", "account", "strategy", "state", "asked_by", "reason", "asked_at", "accepted_at",
    "ended_at", "attempts", "outcome", "steps_at_click", "steps_at_proof",
)  # fmt: skip
COST_COLUMNS = ("usd_at_click", "usd_at_proof", "usd_per_minute_at_click")
"""For people who may see costs only."""


async def as_csv(chosen: StopFilter, *, see_costs: bool) -> AsyncIterator[bytes]:
    """A line per stop."""
    yield BEGIN + lines([COLUMNS + COST_COLUMNS if see_costs else COLUMNS])
    async for chunk in _chunks(chosen, see_costs=see_costs):
        yield lines([safe(value) for value in record.values()] for record in chunk)


async def as_json(chosen: StopFilter, *, see_costs: bool) -> AsyncIterator[bytes]:
    """One list."""
    comma = b"["
    async for chunk in _chunks(chosen, see_costs=see_costs):
        yield comma + b",\n".join(msgspec.json.encode(record) for record in chunk)
        comma = b",\n"
    yield b"]\n" if comma != b"[" else b"[]\n"


async def _chunks(chosen: StopFilter, *, see_costs: bool) -> AsyncIterator[list[dict[str, Any]]]:
    while stops := await sync_to_async(_read)(chosen):
        yield [_record(stop, see_costs=see_costs) for stop in stops]
        chosen = chosen._replace(before=(stops[-1].requested_at, stops[-1].pk))


def _read(chosen: StopFilter) -> list[StopRequest]:
    try:
        return export_page(chosen, CHUNK)
    finally:
        if not connection.in_atomic_block:
            close_old_connections()  # a slow reader must not hold one between two chunks


def _record(stop: StopRequest, *, see_costs: bool) -> dict[str, Any]:
    session = stop.session
    said = (
        stop.pk, str(session.uuid), session.title, session.account.name, stop.strategy, stop.state,
        stop.requested_by_name, stop.reason, _iso(stop.requested_at), _iso(stop.accepted_at), _iso(stop.ended_at),
        stop.attempts_made, stop.outcome, stop.steps_at_click, stop.steps_at_proof,
    )  # fmt: skip
    record: dict[str, Any] = dict(zip(COLUMNS, said, strict=True))
    if see_costs:
        costs = (
            stop.cost_at_click_microusd,
            stop.cost_at_proof_microusd,
            stop.burn_at_click_microusd_per_min,
        )
        record |= {name: _usd(cost) for name, cost in zip(COST_COLUMNS, costs, strict=True)}
    return record


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _usd(microusd: int | None) -> str:
    return "" if microusd is None else format_all(microusd)
