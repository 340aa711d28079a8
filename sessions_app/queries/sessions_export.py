"""Sessions as a file, streamed a chunk at a time, newest first: a year of them needs no more memory than a page."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.db.models import Q, QuerySet

from sessions_app.models import AgentSession, UpstreamName
from sessions_app.queries.history import HistoryFilter, matching
from sessions_app.rules.money import format_all
from sessions_app.rules.sheets import BEGIN, lines, safe

CHUNK = 500
COLUMNS = (
    "session_id", "title", "task", "last_step", "status", "outcome", "created_at", "ended_at", "account", "model",
    "profile_id", "profile", "workspace_id", "workspace", "proxy_country", "steps", "tokens_in", "tokens_out",
    "attention",
)  # fmt: skip
COST_COLUMNS = ("total_usd", "llm_usd", "proxy_usd", "browser_usd", "most_usd")
"""For people who may see costs only."""
_OUTCOMES = {True: "succeeded", False: "failed", None: ""}


class Asked(NamedTuple):
    """Everything that the filter lets through, or just these ids."""

    chosen: HistoryFilter
    uuids: tuple[UUID, ...] = ()


async def as_csv(asked: Asked, *, see_costs: bool) -> AsyncIterator[bytes]:
    """A line per session."""
    yield BEGIN + lines([COLUMNS + COST_COLUMNS if see_costs else COLUMNS])
    async for chunk in _chunks(asked, see_costs=see_costs):
        yield lines([safe(value) for value in record.values()] for record in chunk)


async def as_json(asked: Asked, *, see_costs: bool) -> AsyncIterator[bytes]:
    """One list."""
    yield b"["
    comma = b""
    async for chunk in _chunks(asked, see_costs=see_costs):
        yield comma + b",\n".join(msgspec.json.encode(record) for record in chunk)
        comma = b",\n"
    yield b"]\n"


async def _chunks(asked: Asked, *, see_costs: bool) -> AsyncIterator[list[dict[str, Any]]]:
    place: tuple[datetime, int] | None = None
    while sessions := await sync_to_async(_read)(asked, place):
        yield [_record(session, see_costs=see_costs) for session in sessions]
        place = sessions[-1].created_at, sessions[-1].pk


def _read(asked: Asked, place: tuple[datetime, int] | None) -> list[Any]:
    """The next sessions behind `place`, with `profile_name` and `workspace_name`.  Two queries."""
    try:
        found = list(_behind(_asked_for(asked), place)[:CHUNK])
        _name(found)
    finally:
        if not connection.in_atomic_block:
            close_old_connections()  # a slow reader must not hold one between two chunks
    return found


def _asked_for(asked: Asked) -> QuerySet[AgentSession]:
    sessions = AgentSession.objects.filter(uuid__in=asked.uuids) if asked.uuids else matching(asked.chosen)
    return sessions.select_related("account").order_by("-created_at", "-pk")


def _behind(sessions: QuerySet[AgentSession], place: tuple[datetime, int] | None) -> QuerySet[AgentSession]:
    if place is None:
        return sessions
    at, pk = place
    # The first condition says nothing new: it lets SQLite begin in the index where we stopped.
    return sessions.filter(created_at__lte=at).filter(Q(created_at__lt=at) | Q(pk__lt=pk))


def _name(sessions: list[Any]) -> None:
    uuids = {uuid for each in sessions for uuid in (each.profile_id, each.workspace_id) if uuid}
    known = UpstreamName.objects.filter(uuid__in=uuids).values_list("account_id", "kind", "uuid", "name")
    names = {(account, kind, uuid): name for account, kind, uuid, name in known}
    for each in sessions:
        each.profile_name = names.get((each.account_id, UpstreamName.PROFILE, each.profile_id), "")
        each.workspace_name = names.get((each.account_id, UpstreamName.WORKSPACE, each.workspace_id), "")


def _record(session: Any, *, see_costs: bool) -> dict[str, Any]:
    said = (
        str(session.uuid), session.title, session.task, session.last_step, session.status,
        _OUTCOMES[session.is_task_successful], _iso(session.created_at), _iso(session.ended_at), session.account.name,
        session.model, _text(session.profile_id), session.profile_name, _text(session.workspace_id),
        session.workspace_name, session.proxy_country, session.step_count, session.tokens_in, session.tokens_out,
        " ".join(_codes(session)),
    )  # fmt: skip
    record: dict[str, Any] = dict(zip(COLUMNS, said, strict=True))
    if see_costs:
        costs = (
            session.total_cost_microusd, session.llm_cost_microusd, session.proxy_cost_microusd,
            session.browser_cost_microusd, session.max_cost_microusd,
        )  # fmt: skip
        record |= {name: _usd(cost) for name, cost in zip(COST_COLUMNS, costs, strict=True)}
    return record


def _codes(session: AgentSession) -> list[str]:
    entries = session.attention if isinstance(session.attention, list) else []
    return [str(entry["code"]) for entry in entries if isinstance(entry, dict) and entry.get("code")]


def _text(uuid: UUID | None) -> str:
    return str(uuid) if uuid else ""


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _usd(microusd: int | None) -> str:
    return "" if microusd is None else format_all(microusd)
