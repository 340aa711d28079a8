"""/_simulator: levers for tests. No key, but from this machine only, and JSON only, so that no web page can pull them."""

from typing import TYPE_CHECKING

import msgspec

from . import checks
from .exchange import Reply, Request, json_reply
from .faults import parse

if TYPE_CHECKING:
    from .server import Simulator

PREFIX = "/_simulator"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def answer(sim: "Simulator", request: Request) -> Reply:
    if request.client not in _LOOPBACK:
        raise checks.Refused(403, "Only from this machine")
    if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
        raise checks.Refused(415, "Send application/json")
    room, _, rest = request.path.removeprefix(f"{PREFIX}/").partition("/")
    if room == "faults":
        return _faults(sim, request)
    if room == "requests":
        return _requests(sim, request)
    if room == "sessions" and rest:
        return _force(sim, request, rest)
    if room == "webhooks":
        return _webhooks(sim, request)
    if room == "advance" and request.method == "POST":
        return _advance(sim, request)
    raise checks.Refused(404, "Not Found")


def _faults(sim: "Simulator", request: Request) -> Reply:
    """GET shows the active faults, POST replaces them (a fault, a list, or {"spec": "rate_limit=0.1,…"}), DELETE clears."""
    if request.method == "DELETE":
        sim.faults.clear()
    elif request.method == "POST":
        body = request.json()
        try:
            sim.faults.active = parse(
                body["spec"] if isinstance(body, dict) and "spec" in body else body or []
            )
        except ValueError as error:
            raise checks.invalid(("body",), str(error), "value_error") from None
    return json_reply({"faults": msgspec.to_builtins(sim.faults.active)})


def _requests(sim: "Simulator", request: Request) -> Reply:
    """The last thousand requests, oldest first; DELETE forgets them."""
    if request.method == "DELETE":
        sim.requests.clear()
    return json_reply({"requests": list(sim.requests)})


def _force(sim: "Simulator", request: Request, session_id: str) -> Reply:
    """POST {"title": "…"} sets fields of the session's replies, whatever their type; DELETE takes them back."""
    session = sim.world.sessions.get(session_id)
    if session is None:
        raise checks.Refused(404, "Session not found")
    session.forced = (
        {} if request.method == "DELETE" else session.forced | checks.fields(request.json() or {})
    )
    return json_reply({"forced": session.forced})


def _webhooks(sim: "Simulator", request: Request) -> Reply:
    """POST {"url": "…", "secret": "…"} has each new status sent there, signed; GET shows what was; DELETE ends it."""
    if request.method == "DELETE":
        sim.webhooks.url = ""
    elif request.method == "POST":
        given = checks.fields(request.json())
        sim.webhooks.url, sim.webhooks.secret = str(given.get("url", "")), str(given.get("secret", ""))
    return json_reply({"url": sim.webhooks.url, "sent": list(sim.webhooks.sent)})


def _advance(sim: "Simulator", request: Request) -> Reply:
    """POST {"seconds": 60}: moves a manual clock."""
    seconds = checks.fields(request.json()).get("seconds")
    if not hasattr(sim.clock, "advance") or not isinstance(seconds, int | float):
        raise checks.Refused(409, "Only with a manual clock, and a number of seconds")
    sim.clock.advance(seconds)
    return json_reply({"now": sim.clock.now_ms()})
