"""A v3 server that is not the simulator: written from the contract alone, sparse, oldest first, and full of surprises.

It knows sessions and their stop and nothing else (every other call is a bare 404), unless it is given messages;
it leaves optional fields out, and hands out what a careless or hostile upstream might.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

KEY = "foreign-key"
_SPACE = UUID("6b1f5c0e-8d0a-4c59-9a11-0d2f6f3f8a10")


def uuid_of(name: str) -> UUID:
    return uuid5(_SPACE, name)


class ForeignServer:
    """`sessions` may be changed while it runs; `requests` is (method, path) of all that came in."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.broken: list[Any] = []  # records of the list that are no sessions at all
        self.requests: list[tuple[str, str]] = []
        self.most_per_page = 100
        self.failing_pages: set[int] = set()  # they answer 500, each time
        self.failing_sessions = False  # single ones do
        self.pages: list[int] = []  # that were asked for
        self.refuses_behind_the_end = False  # 404 instead of an empty list
        self.claimed_total: int | None = None  # instead of the truth
        self.one_page_for_all = False  # whatever page is asked for
        self.messages: dict[str, list[dict[str, Any]]] = {}  # by session, oldest first
        self.begins = "oldest"  # or "newest": what a reading without a cursor begins with
        self.knows_cursors = True
        self.refuses_messages = 0  # an HTTP status
        self.lock = threading.RLock()
        self.base_url = ""

    def add(self, name: str, **fields: Any) -> str:
        """A session with the five required fields, and whatever is said otherwise.  Returns its id."""
        uuid = str(uuid_of(name))
        born = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=len(self.sessions))
        moment = born.isoformat().replace("+00:00", "Z")
        base = {"id": uuid, "status": "running", "model": "bu-mini", "createdAt": moment, "updatedAt": moment}
        with self.lock:
            self.sessions[uuid] = base | fields
        return uuid

    def change(self, uuid: str, **fields: Any) -> None:
        with self.lock:
            now = datetime.now(UTC).isoformat()
            self.sessions[uuid] |= {"updatedAt": now} | fields

    def say(
        self, uuid: str, text: Any, kind: str = "assistant_message", role: str = "ai", **fields: Any
    ) -> str:
        """One more message of that session.  Returns its id."""
        with self.lock:
            said = self.messages.setdefault(uuid, [])
            made = str(uuid5(_SPACE, f"{uuid} {len(said)}"))
            moment = (datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=len(said))).isoformat()
            base = {"id": made, "sessionId": uuid, "role": role, "data": text, "createdAt": moment}
            said.append(base | ({"type": kind} if kind else {}) | fields)
        return made

    def posts(self) -> list[str]:
        return [path for method, path in self.requests if method == "POST"]

    # ---- what it answers -------------------------------------------------------------------------------

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        url = urlsplit(target)
        self.requests.append((method, url.path))
        parts = url.path.removeprefix("/v3/").strip("/").split("/")
        with self.lock:
            match method, parts:
                case "GET", ["sessions"]:
                    return self._list(parse_qs(url.query))
                case "GET", ["sessions", uuid] if uuid in self.sessions:
                    if self.failing_sessions:
                        return 500, {"detail": "This session is broken"}
                    return 200, self.sessions[uuid]
                case "GET", ["sessions", uuid, "messages"] if uuid in self.messages or self.refuses_messages:
                    return self._messages(uuid, parse_qs(url.query))
                case "POST", ["sessions", uuid, "stop"] if uuid in self.sessions:
                    return self._stop(uuid, json.loads(body or b"{}"))
        return 404, {"detail": "Not Found"}

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        size = min(int(query.get("page_size", ["20"])[0]), self.most_per_page)
        first = (int(query.get("page", ["1"])[0]) - 1) * size
        records = [*self.broken, *self.sessions.values()]
        if self.one_page_for_all:
            first = 0
        self.pages.append(first // size + 1)
        if first // size + 1 in self.failing_pages:
            return 500, {"detail": "This page is broken"}
        if self.refuses_behind_the_end and first >= len(records):
            return 404, {"detail": "No such page"}
        return 200, {
            "sessions": records[first : first + size],
            "total": len(records) if self.claimed_total is None else self.claimed_total,
            "page": 1,
            "pageSize": size,
        }

    def _messages(self, uuid: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if self.refuses_messages:
            return self.refuses_messages, {"detail": "no messages for you"}
        said, limit = self.messages[uuid], int(query.get("limit", ["10"])[0])
        asked = query if self.knows_cursors else {}
        places = {one.get("id"): place for place, one in enumerate(said)}
        cursor = next((asked[name][0] for name in ("after", "before") if name in asked), None)
        if cursor and cursor not in places:
            return 404, {"detail": "Message not found"}
        if "after" in asked:
            low = places[asked["after"][0]] + 1
        elif "before" in asked or self.begins == "newest":
            high = places[asked["before"][0]] if "before" in asked else len(said)
            return 200, {"messages": said[max(high - limit, 0) : high], "hasMore": high > limit}
        else:
            low = 0
        return 200, {"messages": said[low : low + limit], "hasMore": low + limit < len(said)}

    def _stop(self, uuid: str, asked: dict[str, Any]) -> tuple[int, Any]:
        strategy = asked.get("strategy", "session")
        if strategy not in {"task", "session"}:
            return 422, {"detail": [{"loc": ["body", "strategy"], "msg": "unknown", "type": "enum"}]}
        self.change(uuid, status="idle" if strategy == "task" else "stopped")
        return 200, self.sessions[uuid]


@contextmanager
def running_foreign_server() -> Iterator[ForeignServer]:
    """Serves on a free loopback port until the block ends."""
    foreign = ForeignServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("X-Browser-Use-API-Key") == KEY:
                status, reply = foreign.answer(self.command, self.path, body)
            else:
                status, reply = 401, {"detail": "Invalid API key"}
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """Silence: the requests are kept in `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    foreign.base_url = f"http://127.0.0.1:{server.server_port}/v3"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield foreign
    finally:
        server.shutdown()
        server.server_close()
