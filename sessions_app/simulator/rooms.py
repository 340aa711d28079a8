"""What is not API: presigned pictures and recordings, and the live views."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from . import checks, liveview, pictures, signing, video
from .dice import Dice
from .exchange import Reply, Request, json_reply
from .model import Session, Task
from .scripts import SCENES

if TYPE_CHECKING:
    from .server import Simulator

_OPEN = (("access-control-allow-origin", "*"), ("cache-control", "private, max-age=300"))
_LIVE = (
    # Framed by the dashboard, wherever on this machine it is served.
    (
        "content-security-policy",
        "frame-ancestors 'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*",
    ),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),  # the address is a credential
)
_TYPES = {"png": "image/png", "jpg": "image/jpeg"}
STANDALONE_STEP_MS = 6_000


def answer(sim: "Simulator", request: Request) -> Reply | Callable[[], Reply]:
    """A reply, or a function that makes one and takes its time."""
    if request.method not in ("GET", "HEAD"):
        raise checks.Refused(405, "Method Not Allowed")
    room, *parts = request.path.strip("/").split("/")
    if room in ("pictures", "recordings") and len(parts) == 2:
        return _presigned(sim, request, room, parts[0], parts[1])
    if room == "live" and parts:
        return _live(sim, request, parts[0], parts[1:])
    if room == "":
        return Reply(
            200, b"Simulator of Browser Use Cloud. The API is below /api/v3.\n", "text/plain; charset=utf-8"
        )
    raise checks.Refused(404, "Not Found")


def _presigned(
    sim: "Simulator", request: Request, room: str, session_id: str, name: str
) -> Reply | Callable[[], Reply]:
    reason = signing.verdict(sim.world.secret, request.path, request.query_string, sim.clock.now_ms())
    if reason:
        words = "Request has expired" if reason == "AccessDenied" else "The signature does not match"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{reason}</Code><Message>{words}</Message></Error>'
        return Reply(403, body.encode(), "application/xml")
    session = sim.world.sessions.get(session_id)
    number, _, ending = name.partition(".")
    if session is None or not number.isdigit():
        raise checks.Refused(404, "Not Found")
    if room == "recordings":
        task = session.tasks[min(int(number), len(session.tasks) - 1)]
        return lambda: Reply(200, video.recording(task), "video/webm", _OPEN)
    return _picture(session, int(number), ending, cursor=True)


def _picture(session: Session, step: int, ending: str, *, cursor: bool) -> Reply | Callable[[], Reply]:
    if ending not in _TYPES:
        raise checks.Refused(404, "Not Found")
    view = pictures.view(*locate(session, step), cursor=cursor)
    return lambda: Reply(200, pictures.encoded(view, ending), _TYPES[ending], _OPEN)


def locate(session: Session, step: int) -> tuple[Task | None, int]:
    """Which task a session's step belongs to, and which of its steps it is; no task: the browser is still empty."""
    for task in reversed(session.tasks):
        if step > task.first_step or task is session.tasks[0]:
            return task, max(0, min(step - task.first_step, task.steps))
    return None, 0


def _live(
    sim: "Simulator", request: Request, browser_id: str, rest: list[str]
) -> Reply | Callable[[], Reply]:
    token = parse_qs(request.query_string).get("token", [""])[0]
    if not signing.is_live_token(sim.world.secret, browser_id, token):
        return Reply(403, liveview.refused(), "text/html; charset=utf-8", _LIVE)
    if not rest:
        return Reply(200, liveview.page(), "text/html; charset=utf-8", _LIVE)
    task, step, status = _shown(sim, browser_id)
    if rest == ["state"]:
        return json_reply(liveview.state(task, step, status))._replace(headers=_LIVE)
    if rest[0] == "frame" and len(rest) == 2 and rest[1].isdigit():
        view = pictures.view(task, min(int(rest[1]), step), cursor=False)
        return lambda: Reply(200, pictures.encoded(view, "jpg"), "image/jpeg", _OPEN)
    raise checks.Refused(404, "Not Found")


def _shown(sim: "Simulator", browser_id: str) -> tuple[Task | None, int, str]:
    """Task, its step and the status, of an agent session or of a browser without an agent."""
    session = sim.world.sessions.get(browser_id)
    if session is not None:
        return *locate(session, session.steps), session.status
    browser = next((one for one in sim.world.browsers if one.id == browser_id), None)
    if browser is None:
        raise checks.Refused(404, "Not Found")
    end = browser.finished_ms or sim.clock.now_ms()
    scene = Dice(browser.key, 8).pick(sorted(SCENES))
    task = Task(key=browser.key, scene=scene, started_ms=browser.started_ms, first_step=0, planned=1_000_000)
    task.steps = (end - browser.started_ms) // STANDALONE_STEP_MS
    return task, task.steps, "stopped" if browser.finished_ms else "running"
