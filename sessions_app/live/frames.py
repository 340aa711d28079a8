"""What happened, as the bytes that go to the browsers: made once, for everybody it concerns."""

from sessions_app.live import events
from sessions_app.live.house import Row


class RowFrames:
    """A row's event, with and without the news that its session has left the page."""

    __slots__ = ("_leaves_attention", "_leaves_live", "_leaving", "_staying")

    def __init__(self, row: Row, moment_ms: int) -> None:
        self._leaves_live = not row.is_live
        self._leaves_attention = not row.is_live or row.attention_rank <= 0
        self._staying = events.event("row", row.html, moment_ms)
        self._leaving = self._staying + events.note("gone", moment_ms, id=str(row.uuid))

    def on(self, page: str) -> bytes:
        """What a page of this kind gets.  A session's own page keeps it whatever becomes of it."""
        leaves = (page == "live" and self._leaves_live) or (page == "attention" and self._leaves_attention)
        return self._leaving if leaves else self._staying


def introduction(row: Row, moment_ms: int) -> bytes:
    """A session that was never seen before: the page offers to load it."""
    return events.note("new", moment_ms, id=str(row.uuid), status=row.status, attention=row.attention_rank)


def crowd(count: int, moment_ms: int) -> bytes:
    """So many new ones at once that nobody names them."""
    return events.note("new", moment_ms, count=count)


def pulse(html: bytes, moment_ms: int) -> bytes:
    return events.event("pulse", html, moment_ms)
