"""One open stream, as the hub sees it: a small buffer that can only be late, never large."""

import asyncio
from collections.abc import Iterable

from sessions_app.live import events
from sessions_app.live.tickets import Ticket
from sessions_app.types import Sight

MAX_BUFFER = 256 * 1024  # bytes

SLOW = events.note("resync", why="slow")
SIGHT = events.note("resync", why="sight")
FORBIDDEN = events.note("forbidden")


class Viewer:
    """Rows wait here by session: a newer one takes the older one's place.

    Full (the browser does not read fast enough): everything is dropped, the browser is told to fetch
    the page again, and the stream ends.
    """

    __slots__ = ("_awake", "_notes", "_pulse", "_rows", "_size", "closing", "key", "sight", "ticket")

    def __init__(self, ticket: Ticket, session_key: str, sight: Sight) -> None:
        self.ticket = ticket
        self.sight = sight
        self.key = (ticket.user_id, session_key)
        """Whose stream it is: permission is asked once per key, not per stream."""
        self.closing = False
        self._awake = asyncio.Event()
        self._rows: dict[int, bytes] = {}
        self._notes: list[bytes] = []
        self._pulse = b""
        self._size = 0

    def put_row(self, session_id: int, frame: bytes) -> None:
        self._size -= len(self._rows.get(session_id, b""))
        self._rows[session_id] = frame
        self._grown(frame)

    def put_pulse(self, frame: bytes) -> None:
        self._size -= len(self._pulse)
        self._pulse = frame
        self._grown(frame)

    def put(self, frame: bytes) -> None:
        self._notes.append(frame)
        self._grown(frame)

    def close(self, last_words: bytes = b"") -> None:
        """End the stream once what waits is written."""
        if not self.closing:
            self.closing = True
            self._notes.append(last_words)
            self._awake.set()

    async def take(self) -> bytes:
        """Waits for something to write, and hands over all of it."""
        await self._awake.wait()
        self._awake.clear()
        frames = [*self._rows.values(), *self._notes]
        if self._pulse:
            frames.append(self._pulse)
        self._empty()
        # Alone, it is the very bytes that everybody gets: nothing is copied.
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def _grown(self, frame: bytes) -> None:
        if self.closing:
            return
        self._size += len(frame)
        if self._size > MAX_BUFFER:
            self._empty()
            self.close(SLOW)
        self._awake.set()

    def _empty(self) -> None:
        self._rows, self._notes, self._pulse, self._size = {}, [], b"", 0


class Audience:
    """The viewers that see alike: a row is rendered once for all of them."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.viewers: set[Viewer] = set()
        self._by_session: dict[int, set[Viewer]] = {}
        self._shown: dict[int, int] = {}

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

    def is_news(self, session_id: int, version: int) -> bool:
        """Whether this version was not shown yet.  Redis and the database both tell of a change."""
        if self._shown.get(session_id, -1) >= version:
            return False
        if session_id in self._by_session:
            self._shown[session_id] = version
        return True
