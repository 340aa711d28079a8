"""One open stream, as the hub sees it: what waits to be written can be late, never large."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from sessions_app.live import events
from sessions_app.live.tickets import Ticket
from sessions_app.types import Sight

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK = 64 * 1024  # bytes; the next waits here, where a newer row takes its place, and not in the socket
MAX_NOTES = 64 * 1024  # bytes

SLOW = events.note("resync", why="slow")
SIGHT = events.note("resync", why="sight")
FORBIDDEN = events.note("forbidden")


class Viewer:
    """Rows wait here by session: a newer one takes the older one's place, so who reads slowly is only late.

    Everything else is small, and rare; if it piles up all the same, the browser is told to fetch the page
    again, and the stream ends.
    """

    __slots__ = (
        "_deadline", "_notes", "_notes_size", "_pulse", "_rows", "_sleeping", "_writing_since",
        "closing", "key", "sight", "ticket",
    )  # fmt: skip

    def __init__(self, ticket: Ticket, session_key: str, sight: Sight) -> None:
        self.ticket = ticket
        self.sight = sight
        self.key = (ticket.user_id, session_key)
        """Whose stream it is: permission is asked once per key, not per stream."""
        self.closing = False
        self._sleeping: asyncio.Future[None] | None = None
        self._rows: dict[int, bytes] = {}
        self._notes: list[bytes] = []
        self._notes_size = 0
        self._pulse = b""
        self._deadline: asyncio.Timeout | None = None
        self._writing_since = 0.0

    @property
    def on_page(self) -> frozenset[int]:
        """Our ids of the sessions on its page."""
        return frozenset(self.ticket.session_ids)

    # ---- what comes in ---------------------------------------------------------------------------------

    def put_row(self, session_id: int, frame: bytes) -> None:
        if not self.closing:
            self._rows[session_id] = frame
            self._wake()

    def put_pulse(self, frame: bytes) -> None:
        if not self.closing:
            self._pulse = frame
            self._wake()

    def put(self, frame: bytes) -> None:
        if self.closing:
            return
        self._notes.append(frame)
        self._notes_size += len(frame)
        self._wake()
        if self._notes_size > MAX_NOTES:
            self.close(SLOW)

    def close(self, last_words: bytes = b"") -> None:
        """End the stream.  What waits is dropped: a browser that comes back asks for what it missed."""
        if not self.closing:
            self.closing = True
            self._rows, self._notes, self._pulse = {}, [last_words], b""
            self._wake()

    def _wake(self) -> None:
        if self._sleeping is not None:
            if not self._sleeping.done():
                self._sleeping.set_result(None)
            self._sleeping = None

    # ---- what goes out ---------------------------------------------------------------------------------

    async def write_all(self, send: Send) -> None:
        """Hands what comes to `send` (ASGI), until the stream is closed.  Raises TimeoutError when given up."""
        clock = asyncio.get_running_loop().time
        more = True
        async with asyncio.timeout(None) as self._deadline:
            while more:
                if not (self._rows or self._notes or self._pulse):
                    await self._sleep()
                body = self.take()
                more = not self.closing
                self._writing_since = clock()
                await send({"type": "http.response.body", "body": body, "more_body": more})
                self._writing_since = 0.0

    def give_up_if_stuck(self, longest_s: float) -> None:
        """End the stream of a browser that took nothing for so long.  A timer per write would cost a fifth of it."""
        now = asyncio.get_running_loop().time()
        if self._deadline and self._writing_since and now - self._writing_since > longest_s:
            self._deadline.reschedule(now)

    async def _sleep(self) -> None:
        self._sleeping = asyncio.get_running_loop().create_future()
        await self._sleeping

    def take(self) -> bytes:
        """A chunk of what waits, and no longer waits then: rows first, so that the ids rise."""
        if len(self._rows) == 1 and not self._notes and not self._pulse:
            return self._rows.popitem()[1]  # the very bytes that everybody gets: nothing is copied
        frames, size = [], 0
        while self._rows and size < CHUNK:
            frame = self._rows.pop(next(iter(self._rows)))
            frames.append(frame)
            size += len(frame)
        if not self._rows:
            frames += [*self._notes, self._pulse]
            self._notes, self._notes_size, self._pulse = [], 0, b""
        return b"".join(frames)


class Audience:
    """The viewers that see alike: a row is rendered once for all of them."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.viewers: set[Viewer] = set()
        self._by_session: dict[int, set[Viewer]] = {}
        self._shown: dict[int, int] = {}
        self.pulse = b""
        """The summary strip as it last went out."""

    def add(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        for session_id in viewer.ticket.session_ids:
            self._by_session.setdefault(session_id, set()).add(viewer)

    def discard(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        for session_id in viewer.ticket.session_ids:
            if watching := self._by_session.get(session_id):
                watching.discard(viewer)
                if not watching:
                    del self._by_session[session_id]
                    self._shown.pop(session_id, None)

    def watched(self, session_ids: Iterable[int]) -> list[int]:
        """Those of the sessions that somebody here has on the screen."""
        return [session_id for session_id in session_ids if session_id in self._by_session]

    def watching(self, session_id: int) -> Iterable[Viewer]:
        return self._by_session.get(session_id, ())

    def shown(self, session_id: int) -> int:
        """The version that last went out to those who watch it; -1 when none did."""
        return self._shown.get(session_id, -1)

    def is_news(self, session_id: int, version: int) -> bool:
        """Whether this version was not shown yet.  Redis and the database both tell of a change."""
        if self.shown(session_id) >= version:
            return False
        if session_id in self._by_session:
            self._shown[session_id] = version
        return True
