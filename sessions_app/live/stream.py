"""One viewer's conversation over ASGI: headers, then whatever waits, until either side has enough."""

import asyncio
import random
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import parse_cookie

from sessions_app.live import events
from sessions_app.live.house import Tempo
from sessions_app.live.viewer import Viewer

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would collect 4 KB first
    (b"x-content-type-options", b"nosniff"),
]


class Request:
    """What the hub wants to know of an ASGI scope."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        self._query = parse_qs(scope["query_string"].decode("latin-1"))
        self.method: str = scope["method"]

    @property
    def ticket(self) -> str:
        return self._query.get("ticket", [""])[-1]

    @property
    def session_key(self) -> str:
        return parse_cookie(self._headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME, "")

    @property
    def since_ms(self) -> int | None:
        """The id of the last event that the browser got, ours or its own idea of it."""
        text = self._headers.get(b"last-event-id") or self._query.get("since", [""])[-1]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


async def refuse(send: Any, status: int, words: str) -> None:
    """An answer without a stream.  An EventSource gives up on it, and the page falls back to polling."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})


async def converse(viewer: Viewer, receive: Any, send: Any, tempo: Tempo) -> None:
    """Until the viewer is closed, leaves, or stops reading."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    wait_ms = int(tempo.retry_s * random.uniform(1000, 4000))
    await send({"type": "http.response.body", "body": events.retry(wait_ms), "more_body": True})
    leaving = asyncio.create_task(_until_gone(receive, viewer))
    # The jitter spreads the reconnects of those who came together.
    end = asyncio.get_running_loop().call_later(tempo.life_s * random.uniform(0.8, 1.2), viewer.close)
    try:
        await viewer.write_all(send)
    except TimeoutError:
        pass  # it takes nothing: the server closes the connection when we return
    finally:
        end.cancel()
        leaving.cancel()


async def _until_gone(receive: Any, viewer: Viewer) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()
