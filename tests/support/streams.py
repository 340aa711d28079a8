"""Real viewers of a real hub: uvicorn in a thread, event streams over HTTP."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import uvicorn

from sessions_app.live.hub import Hub


class Event(NamedTuple):
    name: str
    data: str
    id: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Viewer:
    """One open stream, read by a thread.  `status` is that of the answer; `events` grows."""

    def __init__(
        self, url: str, ticket: str, cookie: str = "", headers: dict[str, str] | None = None
    ) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        given = {"Cookie": f"sessionid={cookie}"} if cookie else {}
        self._connection.request(
            "GET", f"/live/stream?ticket={quote(ticket, safe='&=')}", headers=given | (headers or {})
        )
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.headers = self._answer.headers
        self.events: list[Event] = []
        self.retry_ms: int | None = None
        self.ended = threading.Event()
        self._news = threading.Condition()
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def wait_for(
        self, name: str, where: Callable[[Event], bool] = lambda _: True, within_s: float = 8
    ) -> Event:
        """The first event of that name; raises AssertionError with what came instead."""
        deadline = time.monotonic() + within_s
        with self._news:
            while not (found := [e for e in self.events if e.name == name and where(e)]):
                if not self._news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no {name!r} in {within_s} s, only {[e.name for e in self.events]}")
        return found[0]

    def named(self, name: str) -> list[Event]:
        return [event for event in list(self.events) if event.name == name]

    def close(self) -> None:
        with suppress(OSError):  # closing what a thread reads from would wait for it
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        fields: dict[str, list[str]] = {}
        try:
            while line := self._answer.readline():
                text = line.decode().rstrip("\n")
                if text:
                    field, _, value = text.partition(": ")
                    fields.setdefault(field, []).append(value)
                else:
                    self._dispatch(fields)
                    fields = {}
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed by us, or cut off
        self.ended.set()

    def _dispatch(self, fields: dict[str, list[str]]) -> None:
        if "retry" in fields:
            self.retry_ms = int(fields["retry"][0])
        if "data" in fields:
            event = Event(fields["event"][0], "\n".join(fields["data"]), fields.get("id", [""])[0])
            with self._news:
                self.events.append(event)
                self._news.notify_all()


@contextmanager
def running_hub(hub: Hub, send_buffer: int = 0) -> Iterator[str]:
    """Serves `hub` at every path of a free loopback port; yields its address.

    `send_buffer`: bytes that the system takes for each viewer (about twice that); 0 is as many as it likes.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await hub(scope, receive, send)

    config = uvicorn.Config(application, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    server = _Server(hub, config)
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if send_buffer:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)  # connections inherit it
    door.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([door],), name="hub", daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the hub does not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        door.close()
        assert not thread.is_alive(), "the hub does not stop"


class _Server(uvicorn.Server):
    """As `dashboard.processes.web` does it."""

    def __init__(self, hub: Hub, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: Any = None) -> None:
        await self._hub.stop()
        await super().shutdown(sockets)
