"""The v3 calls about sessions and their messages."""

from typing import TYPE_CHECKING, Any

from . import birth, checks, conversation, wire
from .exchange import Reply, Request, json_reply
from .faults import strange_enums, strange_fields
from .model import Session
from .prices import DEFAULT_MODEL

if TYPE_CHECKING:
    from .server import Simulator


def list_sessions(sim: "Simulator", request: Request) -> Reply:
    page = checks.whole(request.query, "page", 1)
    size = checks.whole(request.query, "page_size", 20, high=100)
    if sim.strikes("shift_pages", request):
        sim.world.give_birth(sim.world.now_ms)
    sessions = _ordered(sim, request, (page - 1) * size, size)
    replies = [_session(sim, request, one, single=False) for one in sessions]
    return json_reply({"sessions": replies, "total": len(sim.world.order), "page": page, "pageSize": size})


def _ordered(sim: "Simulator", request: Request, offset: int, size: int) -> list[Session]:
    world, fault = sim.world, sim.strikes("order", request)
    if fault is None or fault.order == "newest":
        return list(world.newest(offset, size))
    ids = [one for _, one in world.order]
    if fault.order == "updated":
        ids.sort(key=lambda one: -world.sessions[one].updated_ms)
    elif fault.order == "random":
        dice = sim.faults.dice()
        ids = [one for _, one in sorted((dice.bits(), one) for one in ids)]
    return [world.sessions[one] for one in ids[offset : offset + size]]


def _session(sim: "Simulator", request: Request, one: Session, *, single: bool = True) -> dict[str, Any]:
    reply = wire.session(sim.world, one, sim.visit(request), single=single)
    if fault := sim.strikes("unknown_enums", request):
        reply = strange_enums(reply, fault.share)
    return strange_fields(reply) if sim.strikes("new_fields", request) else reply


def _find(sim: "Simulator", text: str) -> Session:
    session = sim.world.sessions.get(checks.uuid(text, ("path", "session_id")))
    if session is None:
        raise checks.Refused(404, "Session not found")
    return session


def get_session(sim: "Simulator", request: Request, text: str) -> Reply:
    return json_reply(_session(sim, request, _find(sim, text)))


def create_session(sim: "Simulator", request: Request) -> Reply:
    """A new session, with a task or without; or, with `sessionId`, a task for one that is idle."""
    body = checks.fields(request.json())
    task, schema = checks.typed(body, "task", str), checks.typed(body, "outputSchema", dict)
    limit = checks.micros(body, "maxCostUsd")
    if body.get("sessionId") is not None:
        return _dispatch(sim, request, body, task, limit)
    session = birth.new_session(sim.world, sim.world.now_ms, origin="api")
    _apply(sim, session, body)
    session.max_cost_micros, session.schema = limit, schema
    sim.world.create(session, task, schema)
    return json_reply(_session(sim, request, session))


def _dispatch(
    sim: "Simulator", request: Request, body: dict[str, Any], task: str | None, limit: int | None
) -> Reply:
    session = sim.world.sessions.get(checks.uuid(body["sessionId"], ("body", "sessionId")))
    if session is None:
        raise checks.Refused(404, "Session not found")
    if task is None:
        raise checks.invalid(("body", "task"), "A task is required for an existing session", "value_error")
    if session.status != "idle" or session.waiting is not None:
        raise checks.Refused(409, f"Session is {session.status}, not idle")
    session.max_cost_micros = limit if limit is not None else session.max_cost_micros
    session.keep_alive = checks.typed(body, "keepAlive", bool, session.keep_alive)
    sim.world.dispatch(session, task, checks.typed(body, "outputSchema", dict))
    return json_reply(_session(sim, request, session))


def _apply(sim: "Simulator", session: Session, body: dict[str, Any]) -> None:
    """Validate and take over what the caller asked for."""
    session.model = checks.model(body, DEFAULT_MODEL)
    session.country = checks.country(body, "us")
    session.keep_alive = checks.typed(body, "keepAlive", bool, False)
    session.recording = checks.typed(body, "enableRecording", bool, False)
    session.width = checks.typed(body, "browserScreenWidth", int)
    session.height = checks.typed(body, "browserScreenHeight", int)
    session.thinking = checks.typed(body, "thinkingLevel", str)
    session.email = birth.mailbox(session.key) if checks.typed(body, "agentmail", bool, True) else None
    for name, field, known in (
        ("profileId", "profile_id", sim.world.profiles),
        ("workspaceId", "workspace_id", sim.world.workspaces),
    ):
        if body.get(name) is not None:
            setattr(
                session,
                field,
                _known(known, checks.uuid(body[name], ("body", name)), name.removesuffix("Id").capitalize()),
            )


def _known(rows: list[dict[str, Any]], wanted: str, noun: str) -> str:
    if not any(row["id"] == wanted for row in rows):
        raise checks.Refused(404, f"{noun} not found")
    return wanted


def stop_session(sim: "Simulator", request: Request, text: str) -> Reply:
    session = _find(sim, text)
    body = request.json()
    given = {} if body is None else checks.fields(body)
    strategy = checks.one_of(given.get("strategy", "session"), ("task", "session"), ("body", "strategy"))
    if not sim.strikes("stop_ignored", request):
        delayed = sim.strikes("stop_delayed", request)
        sim.world.request_stop(session, strategy, int(delayed.seconds * 1000) if delayed else None)
    return json_reply(_session(sim, request, session))


def delete_session(sim: "Simulator", request: Request, text: str) -> Reply:
    sim.world.delete(_find(sim, text))
    return Reply(204)


def list_messages(sim: "Simulator", request: Request, text: str) -> Reply:
    session = _find(sim, text)
    limit = checks.whole(request.query, "limit", 10, high=100)
    after, before = (_cursor(session, request, name) for name in ("after", "before"))
    low = 0 if after is None else after + 1
    high = conversation.count(session) if before is None else before
    from_end = before is not None and after is None  # the page just before the cursor, still oldest first
    first, last = (max(low, high - limit), high) if from_end else (low, min(high, low + limit))
    messages = conversation.page(sim.world, session, sim.visit(request), first, last)
    return json_reply({"messages": messages, "hasMore": first > low if from_end else last < high})


def _cursor(session: Session, request: Request, name: str) -> int | None:
    if name not in request.query:
        return None
    number = conversation.number_of(session, checks.uuid(request.query[name], ("query", name)))
    if number is None:
        raise checks.Refused(404, "Message not found")
    return number
