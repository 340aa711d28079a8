"""Which call a request is. Each takes the simulator, the request and the ids in its path, and returns a reply."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import calls_project, calls_sessions, checks
from .exchange import Reply, Request

if TYPE_CHECKING:
    from .server import Simulator

PREFIX = "/api/v3"


def answer(sim: "Simulator", request: Request) -> Reply:
    """Route a request below /api/v3; the key is checked first, like upstream does."""
    if request.headers.get("x-browser-use-api-key") != sim.key:
        missing = "x-browser-use-api-key" not in request.headers
        raise checks.Refused(401, "Missing API key" if missing else "Invalid API key")
    parts = request.path.removeprefix(PREFIX).strip("/").split("/")
    found = False
    for method, pattern, call in ROUTES:
        if len(pattern) == len(parts) and all(
            want in ("*", have) for want, have in zip(pattern, parts, strict=True)
        ):
            found = True
            if method == request.method:
                return call(
                    sim, request, *[have for want, have in zip(pattern, parts, strict=True) if want == "*"]
                )
    raise checks.Refused(*((405, "Method Not Allowed") if found else (404, "Not Found")))


ROUTES: tuple[tuple[str, tuple[str, ...], Callable[..., Reply]], ...] = (
    ("GET", ("sessions",), calls_sessions.list_sessions),
    ("POST", ("sessions",), calls_sessions.create_session),
    ("GET", ("sessions", "*"), calls_sessions.get_session),
    ("DELETE", ("sessions", "*"), calls_sessions.delete_session),
    ("POST", ("sessions", "*", "stop"), calls_sessions.stop_session),
    ("GET", ("sessions", "*", "messages"), calls_sessions.list_messages),
    ("GET", ("browsers",), calls_project.list_browsers),
    ("POST", ("browsers",), calls_project.create_browser),
    ("GET", ("browsers", "*"), calls_project.get_browser),
    ("PATCH", ("browsers", "*"), calls_project.stop_browser),
    ("GET", ("profiles",), calls_project.list_profiles),
    ("GET", ("profiles", "*"), calls_project.get_profile),
    ("GET", ("workspaces",), calls_project.list_workspaces),
    ("GET", ("workspaces", "*"), calls_project.get_workspace),
    ("GET", ("billing", "account"), calls_project.get_account),
)
