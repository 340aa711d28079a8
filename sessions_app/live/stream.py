"""One browser's conversation over ASGI: headers, then whatever waits, until either side has enough."""

import asyncio
import random
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from django.conf import settings
from django.http import parse_cookie

from sessions_app.live.house import Tempo
from sessions_app.live.line import MOST_VIEWS, Line

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would collect 4 KB first
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"accept-encoding"),
]
PACKED = [*HEADERS, (b"content-encoding", b"gzip")]


class Asked(NamedTuple):
    """One page's part of the address: its ticket, and the id of the last event that it heard; None: of none."""

    ticket: str
    since_ms: int | None


class Request:
    """What the hub wants to know of an ASGI scope."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        self._query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self.method: str = scope["method"]

    @property
    def asked(self) -> list[Asked]:
        """`?ticket=…&since=…` for each page; at most MOST_VIEWS, the others are left out."""
        tickets = self._query.get("ticket", [""])[:MOST_VIEWS]
        sinces = [_moment(text) for text in self._query.get("since", [])]
        sinces += [None] * (len(tickets) - len(sinces))
        # A browser that reconnects by itself repeats the address, and says in a header what it heard since.
        latest = _moment(self._headers.get(b"last-event-id", ""))
        return [Asked(ticket, latest or since) for ticket, since in zip(tickets, sinces, strict=False)]

    @property
    def session_key(self) -> str:
        return parse_cookie(self._headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME, "")

    @property
    def takes_gzip(self) -> bool:
        offered = self._headers.get(b"accept-encoding", "").replace(" ", "").lower().split(",")
        return "gzip" in offered


def _moment(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


async def refuse(send: Any, status: int, words: str) -> None:
    """An answer without a stream.  An EventSource gives up on it, and the page falls back to polling."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})


async def converse(
    line: Line, refused: list[int], receive: Any, send: Any, tempo: Tempo, *, packs: bool
) -> None:
    """Until the line is closed, the browser leaves, or stops reading."""
    await send({"type": "http.response.start", "status": 200, "headers": PACKED if packs else HEADERS})
    await line.begin(refused, int(tempo.retry_s * random.uniform(1000, 4000)))
    # The jitter spreads the reconnects of those who came together.
    end = asyncio.get_running_loop().call_later(tempo.life_s * random.uniform(0.8, 1.2), line.close)
    leaving = asyncio.ensure_future(_until_gone(receive, line))
    try:
        await line.ended
    finally:
        end.cancel()
        leaving.cancel()


async def _until_gone(receive: Any, line: Line) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    line.close()
