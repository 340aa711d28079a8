"""The v3 calls about browsers, profiles, workspaces and money."""

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import checks, standalone, wire
from .exchange import Reply, Request, json_reply
from .model import Browser, Session

if TYPE_CHECKING:
    from .server import Simulator


def list_browsers(sim: "Simulator", request: Request) -> Reply:
    """Standalone ones first, then those of agent sessions, newest first. Only the page asked for is looked at."""
    number, size = _paging(request)
    wanted = request.query.get("filterBy")
    if wanted is not None:
        checks.one_of(wanted, ("active", "stopped"), ("query", "filterBy"))
    world, visit, offset = sim.world, sim.visit(request), (number - 1) * size
    alone = [
        one for one in world.browsers if wanted is None or (one.finished_ms is None) == (wanted == "active")
    ]
    total = len(alone) + {"active": len(world.live), "stopped": len(world.order) - len(world.live)}.get(
        wanted or "", len(world.order)
    )
    items = [wire.standalone_browser(world, one, visit) for one in alone[offset : offset + size]]
    sessions = _browsing(sim, wanted, max(0, offset - len(alone)), size - len(items))
    items += [wire.browser_of(world, one, visit) for one in sessions]
    return json_reply({"items": items, "totalItems": total, "pageNumber": number, "pageSize": size})


def _browsing(sim: "Simulator", wanted: str | None, offset: int, count: int) -> list[Session]:
    world = sim.world
    if wanted is None:
        return list(world.newest(offset, count))
    if wanted == "active":
        return [world.sessions[one] for one in islice(reversed(world.live), offset, offset + count)]
    ended = (world.sessions[one] for _, one in reversed(world.order) if one not in world.live)
    return list(islice(ended, offset, offset + count))


def create_browser(sim: "Simulator", request: Request) -> Reply:
    body = checks.fields(request.json() or {})
    minutes = checks.typed(body, "timeout", int, 60)
    if not 1 <= minutes <= 240:
        raise checks.Refused(403, "Maximum session timeout is 4 hours (240 minutes).")
    sim.world.born += 1
    browser = standalone.new(sim.world, sim.world.now_ms, sim.world.born, minutes * 60_000)
    sim.world.browsers.insert(0, browser)
    return json_reply(wire.standalone_browser(sim.world, browser, sim.visit(request)), 201)


def get_browser(sim: "Simulator", request: Request, text: str) -> Reply:
    return json_reply(_browser_reply(sim, request, _find_browser(sim, text)))


def stop_browser(sim: "Simulator", request: Request, text: str) -> Reply:
    """Stopping the browser of an agent session takes its sandbox away: that session is stopped."""
    browser = _find_browser(sim, text)
    checks.one_of(checks.fields(request.json()).get("action"), ("stop",), ("body", "action"))
    if isinstance(browser, Session):
        sim.world.request_stop(browser, "session")
    else:
        browser.finished_ms = browser.finished_ms or sim.world.now_ms
    return json_reply(_browser_reply(sim, request, browser))


def _find_browser(sim: "Simulator", text: str) -> Browser | Session:
    wanted = checks.uuid(text, ("path", "session_id"))
    alone = next((one for one in sim.world.browsers if one.id == wanted), None)
    found = alone or sim.world.sessions.get(wire.session_id_of(wanted))
    if found is None:
        raise checks.Refused(404, "Session not found")
    return found


def _browser_reply(sim: "Simulator", request: Request, browser: Browser | Session) -> dict[str, Any]:
    if isinstance(browser, Session):
        return wire.browser_of(sim.world, browser, sim.visit(request))
    return wire.standalone_browser(sim.world, browser, sim.visit(request))


def _paging(request: Request) -> tuple[int, int]:
    return checks.whole(request.query, "pageNumber", 1), checks.whole(request.query, "pageSize", 10, high=100)


def _page_of(rows: list[Any], request: Request) -> Reply:
    number, size = _paging(request)
    items = rows[(number - 1) * size : number * size]
    return json_reply({"items": items, "totalItems": len(rows), "pageNumber": number, "pageSize": size})


def list_profiles(sim: "Simulator", request: Request) -> Reply:
    words = request.query.get("query", "").lower()
    rows = [row for row in sim.world.profiles if words in f"{row['name']} {row['userId']}".lower()]
    return _page_of([wire.profile(row) for row in rows], request)


def list_workspaces(sim: "Simulator", request: Request) -> Reply:
    return _page_of([wire.workspace(row) for row in sim.world.workspaces], request)


def get_profile(sim: "Simulator", request: Request, text: str) -> Reply:
    return _one(
        sim.world.profiles, checks.uuid(text, ("path", "profile_id")), wire.profile, "Profile not found"
    )


def get_workspace(sim: "Simulator", request: Request, text: str) -> Reply:
    return _one(
        sim.world.workspaces,
        checks.uuid(text, ("path", "workspace_id")),
        wire.workspace,
        "Workspace not found",
    )


def _one(rows: list[dict[str, Any]], wanted: str, show: Callable[[Any], Any], refusal: str) -> Reply:
    for row in rows:
        if row["id"] == wanted:
            return json_reply(show(row))
    raise checks.Refused(404, refusal)


def get_account(sim: "Simulator", request: Request) -> Reply:
    return json_reply(wire.account(sim.world))
