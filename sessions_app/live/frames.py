"""What happened, as the bytes that go to the browsers: made once, and packed once, for everybody it concerns."""

import zlib
from collections.abc import Iterable, Mapping

from sessions_app.live import events
from sessions_app.live.delta import parts_that_differ
from sessions_app.live.house import Row

GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""What a packed stream begins with (RFC 1952, 2.3).  Frames follow, in any order, and no end: it breaks off."""
LEVEL = 6


class Frame:
    """Bytes for many.  `packed`: deflated by itself and flushed, so that frames stand in any gzip stream, anywhere."""

    __slots__ = ("_packed", "plain")

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._packed = b""

    @property
    def packed(self) -> bytes:
        if not self._packed and self.plain:
            deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            self._packed = deflate.compress(self.plain) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return self._packed


def leaves(row: Row, page: str) -> bool:
    """Whether it leaves a page of this kind.  A session's own page keeps it whatever becomes of it."""
    if page == "attention":
        return not row.is_live or row.attention_rank <= 0
    return page == "live" and not row.is_live


class RowFrames:
    """A row's event: whole, or only what differs from the row that went out before; each with and without the news
    that its session has left the page."""

    __slots__ = ("_row", "changes", "changes_and_leaves", "whole", "whole_and_leaves")

    def __init__(self, row: Row, moment_ms: int, before: Row | None = None) -> None:
        self._row = row
        gone = events.note("gone", moment_ms, id=str(row.uuid))
        whole = events.event("row", row.html, moment_ms)
        self.whole, self.whole_and_leaves = Frame(whole), Frame(whole + gone)
        self.changes, self.changes_and_leaves = self.whole, self.whole_and_leaves
        if before is not None and (parts := parts_that_differ(before.html, row.html)):
            changes = events.event("row", parts, moment_ms)
            self.changes, self.changes_and_leaves = Frame(changes), Frame(changes + gone)

    def leaves(self, page: str) -> bool:
        return leaves(self._row, page)

    def on(self, page: str) -> Frame:
        return self.whole_and_leaves if self.leaves(page) else self.whole


class Batch:
    """What changed on one screen: for who has all that went out before, and row by row for who has not."""

    __slots__ = ("_packed", "_plain", "changes", "whole")

    def __init__(self, rows: Mapping[int, RowFrames], page: str) -> None:
        self.whole = {session_id: row.on(page) for session_id, row in rows.items()}
        self.changes = [row.changes_and_leaves if row.leaves(page) else row.changes for row in rows.values()]
        self._plain = self._packed = b""

    @property
    def plain(self) -> bytes:
        self._plain = self._plain or _joined(frame.plain for frame in self.changes)
        return self._plain

    @property
    def packed(self) -> bytes:
        self._packed = self._packed or _joined(frame.packed for frame in self.changes)
        return self._packed


def _joined(pieces: Iterable[bytes]) -> bytes:
    """The very same bytes when there is but one."""
    first, *others = pieces
    return b"".join((first, *others)) if others else first


def introduction(row: Row, moment_ms: int) -> Frame:
    """A session that was never seen before: the page offers to load it."""
    return Frame(
        events.note("new", moment_ms, id=str(row.uuid), status=row.status, attention=row.attention_rank)
    )


def crowd(count: int, moment_ms: int) -> Frame:
    """So many new ones at once that nobody names them."""
    return Frame(events.note("new", moment_ms, count=count))


def pulse(html: bytes, moment_ms: int) -> Frame:
    return Frame(events.event("pulse", html, moment_ms))


def ready(moment_ms: int) -> Frame:
    """All that was missed stands before this: from here on the last event's id says how far the page has come."""
    return Frame(events.note("ready", moment_ms))
