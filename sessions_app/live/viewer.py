"""One open page, as the hub sees it: what waits to be written can be late, never large."""

from typing import Protocol

from sessions_app.live import events
from sessions_app.live.frames import Batch, Frame
from sessions_app.live.tickets import Ticket
from sessions_app.types import Sight

CHUNK = 64 * 1024  # bytes; the next waits here, where a newer row takes its place, and not in the socket
MAX_NOTES = 64 * 1024  # bytes

SLOW = Frame(events.note("resync", why="slow"))
SIGHT = Frame(events.note("resync", why="sight"))
FORBIDDEN = Frame(events.note("forbidden"))


class Bytes(Protocol):
    """A frame, or several as one."""

    @property
    def plain(self) -> bytes: ...
    @property
    def packed(self) -> bytes: ...


class Reader(Protocol):
    """Whoever takes what waits (`line.Line`)."""

    def due(self, viewer: "Viewer") -> None:
        """Something waits there now."""


class Viewer:
    """Rows wait here by session: a newer one takes the older one's place, so who reads slowly is only late.

    Everything else is small, and rare; if it piles up all the same, the browser is told to fetch the page
    again, and the stream ends.
    """

    __slots__ = (
        "_batch", "_notes", "_notes_size", "_pulse", "_rows", "_told", "closing", "is_current", "is_first", "key",
        "line", "sight", "ticket",
    )  # fmt: skip

    def __init__(self, ticket: Ticket, session_key: str, sight: Sight, *, is_first: bool = True) -> None:
        self.ticket = ticket
        self.sight = sight
        self.key = (ticket.user_id, session_key)
        """Whose stream it is: permission is asked once per key, not per stream."""
        self.is_first = is_first
        """Of its browser's pages: what all of them want alike (strip, signs of life) is told by this one."""
        self.is_current = False
        """Whether it was told all that it had missed: until then it gets whole rows."""
        self.closing = False
        self.line: Reader | None = None
        self._batch: Batch | None = None
        self._rows: dict[int, Frame] | None = None
        self._notes: list[Frame] | None = None
        self._notes_size = 0
        self._pulse: Frame | None = None
        self._told: set[int] | None = None

    # ---- what comes in ---------------------------------------------------------------------------------

    def put_rows(self, batch: Batch) -> None:
        """Only what differs, unless something waits or was missed, on which it would have to build."""
        if self.closing:
            return
        if self.is_current and self._batch is None and not self._rows:
            self._batch = batch
        else:
            self._rows = {**(self._rows or {}), **(self._batch.whole if self._batch else {}), **batch.whole}
            self._batch = None
        self._wake()

    def put_row(self, session_id: int, frame: Frame) -> None:
        """A whole row."""
        if self.closing:
            return
        self._rows = self._rows or {}
        self._rows[session_id] = frame
        self._wake()

    def put_pulse(self, whole: Frame, changes: Frame | None = None) -> None:
        if not self.closing:
            self._pulse = changes if changes and self.is_current and self._pulse is None else whole
            self._wake()

    def put(self, frame: Frame) -> None:
        if self.closing:
            return
        self._notes = self._notes or []
        self._notes.append(frame)
        self._notes_size += len(frame.plain)
        self._wake()
        if self._notes_size > MAX_NOTES:
            self.close(SLOW)

    def introduce(self, session_id: int, frame: Frame) -> None:
        """A new session, once."""
        self._told = self._told or set()
        if session_id not in self._told and session_id not in self.ticket.session_ids:
            self._told.add(session_id)
            self.put(frame)

    def close(self, last_words: Frame | None = None) -> None:
        """End the stream.  What waits is dropped: a browser that comes back asks for what it missed."""
        if not self.closing:
            self.closing = True
            self._rows = self._batch = self._pulse = None
            self._notes = [last_words] if last_words else None
            self._wake()

    def _wake(self) -> None:
        if self.line is not None:
            self.line.due(self)

    # ---- what goes out ---------------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether anything does."""
        return bool(self._rows or self._batch or self._notes or self._pulse)

    def take(self) -> list[Bytes]:
        """About a chunk of what waits, which no longer waits then: rows first, so that the ids rise."""
        taken: list[Bytes] = []
        if self._batch is not None:
            taken.append(self._batch)
            self._batch = None
        elif self._rows:
            self._take_rows(taken)
        if not self._rows:
            taken += self._notes or ()
            taken += (self._pulse,) if self._pulse else ()
            self._rows = self._notes = self._pulse = None
            self._notes_size = 0
        return taken

    def _take_rows(self, taken: list[Bytes]) -> None:
        size = 0
        while self._rows and size < CHUNK:
            frame = self._rows.pop(next(iter(self._rows)))
            taken.append(frame)
            size += len(frame.plain)
