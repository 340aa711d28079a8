"""Server sides of goal 5, each in a process of its own: `python -m bench.push_server KIND`, on the house of the bench.

hub     the product's, under uvicorn: told by Redis, renders a changed row once
each    a naive stream: told by Redis as well, and renders the row anew for every viewer
raw     nothing but writing: the same bytes, rendered before, to every socket
library django-eventstream under uvicorn: told by Redis, given a changed row that was rendered once
page    the product's pages, for who fetches them anew
hello   a page that says so and no more, behind the same middlewares
"""

import asyncio
import os
import sys
from typing import Any

import django
import msgspec
import redis.asyncio
import uvicorn
import uvloop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

from dashboard.live_wiring import house  # noqa: E402
from sessions_app.live import events  # noqa: E402
from sessions_app.live.hub import Hub  # noqa: E402
from sessions_app.live.publish import CHANNEL, Message  # noqa: E402
from sessions_app.queries import rows  # noqa: E402
from sessions_app.types import Sight  # noqa: E402

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
SIGHT = Sight(**dict.fromkeys(Sight._fields, True))


class Raw(asyncio.Protocol):
    """A stream without a framework."""

    everybody: set[Any] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(HEAD)  # type: ignore[attr-defined]
        Raw.everybody.add(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        Raw.everybody.discard(self.transport)


def anew(session_id: int) -> bytes:
    """The row's event, with nothing kept from last time."""
    rows.forget()
    return events.event("row", rows.rendered([session_id], SIGHT)[session_id].html, 1)


async def serve(kind: str) -> None:
    server = await asyncio.get_running_loop().create_server(Raw, "127.0.0.1", 0, backlog=1024)
    _say(server.sockets[0].getsockname()[1])
    prepared: dict[int, bytes] = {}
    pubsub = redis.asyncio.from_url(settings.REDIS_URL).pubsub()
    await pubsub.subscribe(CHANNEL)
    async for message in pubsub.listen():
        if message["type"] != "message":
            continue
        for session_id in msgspec.json.decode(message["data"], type=Message).session_ids:
            if kind == "raw" and session_id not in prepared:
                prepared[session_id] = await asyncio.to_thread(anew, session_id)
            for viewer in list(Raw.everybody):
                frame = prepared[session_id] if kind == "raw" else await asyncio.to_thread(anew, session_id)
                viewer.write(frame)


async def serve_hub() -> None:
    hub = Hub(house(), settings.REDIS_URL)

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await hub(scope, receive, send)

    await _under_uvicorn(application)


async def serve_pages() -> None:
    from dashboard.asgi import application

    await _under_uvicorn(application)


async def serve_hello() -> None:
    settings.ROOT_URLCONF = "bench.push_hello"
    await serve_pages()


async def serve_library() -> None:
    from django_eventstream import send_event

    settings.ROOT_URLCONF, settings.MIDDLEWARE, settings.ALLOWED_HOSTS = "bench.push_library", [], ["*"]
    serving = asyncio.create_task(_under_uvicorn(get_asgi_application()))
    pubsub = redis.asyncio.from_url(settings.REDIS_URL).pubsub()
    await pubsub.subscribe(CHANNEL)
    async for message in pubsub.listen():
        assert not serving.done()
        if message["type"] != "message":
            continue
        ids = msgspec.json.decode(message["data"], type=Message).session_ids
        for session_id, row in (await asyncio.to_thread(rows.rendered, ids, SIGHT)).items():
            assert session_id
            send_event("floor", "row", row.html.decode(), json_encode=False)


async def _under_uvicorn(application: Any) -> None:
    config = uvicorn.Config(application, port=0, lifespan="off", log_config=None, backlog=1024)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    _say(server.servers[0].sockets[0].getsockname()[1])
    await task


def _say(port: int) -> None:
    print(port, flush=True)


async def main(kind: str, parent: int) -> None:
    sides = {"hub": serve_hub, "library": serve_library, "page": serve_pages, "hello": serve_hello}
    serving = asyncio.create_task(sides[kind]() if kind in sides else serve(kind))
    while os.getppid() == parent and not serving.done():
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])), loop_factory=uvloop.new_event_loop)
