"""One connection of one browser: the pages that hear by it, and what is written to it.

Several tabs share one.  Before what is meant for another page than the last one stands an event `view` {n}: its place
among the tickets of the address.  With a single page there is none.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sessions_app.live import events
from sessions_app.live.frames import GZIP_HEAD, Frame
from sessions_app.live.viewer import CHUNK, FORBIDDEN, Viewer

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]

MOST_VIEWS = 12
VIEW = [Frame(events.note("view", n=number)) for number in range(MOST_VIEWS)]


class Line:
    """Writes as soon as something waits: what comes in one turn of the loop is written together.

    Nobody waits in a task for it, as long as the browser reads: that would be a fifth of what a write costs.
    """

    __slots__ = (
        "_current",
        "_due",
        "_is_asked",
        "_loop",
        "_packs",
        "_places",
        "_send",
        "_stuck",
        "_stuck_since",
        "ended",
    )

    def __init__(self, viewers: Sequence[Viewer | None], send: Send, *, packs: bool) -> None:
        """`viewers` in the order of the tickets; None: that page may hear nothing, and is told so."""
        self._loop = asyncio.get_running_loop()
        self._send, self._packs = send, packs
        self._places = {viewer: place for place, viewer in enumerate(viewers) if viewer is not None}
        self._due: dict[Viewer, None] = {}
        self._current = 0
        self._is_asked = False
        self._stuck: asyncio.Task[None] | None = None
        self._stuck_since = 0.0
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when all is written, or nobody reads it."""

    async def begin(self, refused: Sequence[int], retry_ms: int) -> None:
        """The first words, after the headers."""
        words: list[Frame] = [Frame(events.retry(retry_ms))]
        for place in refused:
            words += (VIEW[place], FORBIDDEN)
            self._current = place
        body = b"".join(self._bytes(frame) for frame in words)
        head = GZIP_HEAD if self._packs else b""
        await self._send({"type": "http.response.body", "body": head + body, "more_body": True})
        for viewer in self._places:
            viewer.line = self
            if viewer.waits or viewer.closing:
                self.due(viewer)

    def due(self, viewer: Viewer) -> None:
        """Something waits at this one."""
        self._due[viewer] = None
        if not self._is_asked and self._stuck is None:
            self._is_asked = True
            self._loop.call_soon(self._write)

    def close(self) -> None:
        """Every page's stream."""
        for viewer in self._places:
            viewer.close()

    def give_up_if_stuck(self, longest_s: float) -> None:
        """End the stream of a browser that took nothing for so long."""
        if self._stuck is not None and self._loop.time() - self._stuck_since > longest_s:
            self._stuck.cancel()
            self._end()

    # ---- writing ---------------------------------------------------------------------------------------

    def _write(self) -> None:
        self._is_asked = False
        if self.ended.done():
            return
        is_last = False
        pieces: list[bytes] = []
        size = 0
        while self._due and size < CHUNK and not is_last:
            viewer = next(iter(self._due))
            is_last = viewer.closing
            size += self._take(viewer, pieces)
            if not viewer.waits:
                del self._due[viewer]
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._hand_over({"type": "http.response.body", "body": body, "more_body": not is_last}, is_last)

    def _take(self, viewer: Viewer, pieces: list[bytes]) -> int:
        """Appends about a chunk of what waits there; how many bytes."""
        frames = viewer.take()
        if frames and self._places[viewer] != self._current:
            self._current = self._places[viewer]
            frames.insert(0, VIEW[self._current])
        taken = [frame.packed for frame in frames] if self._packs else [frame.plain for frame in frames]
        pieces += taken
        return sum(map(len, taken))

    def _hand_over(self, message: dict[str, Any], is_last: bool) -> None:
        # Eager: while the browser reads, ASGI's `send` returns without having waited, and no task is ever scheduled.
        sending: asyncio.Task[None] = asyncio.Task(self._send(message), loop=self._loop, eager_start=True)
        if sending.done():
            self._sent(sending, is_last)
        else:
            self._stuck, self._stuck_since = sending, self._loop.time()
            sending.add_done_callback(lambda task: self._sent(task, is_last))

    def _sent(self, sending: "asyncio.Task[None]", is_last: bool) -> None:
        self._stuck = None
        if is_last or sending.cancelled() or sending.exception() is not None:
            self._end()
        elif self._due and not self._is_asked:
            self._is_asked = True
            self._loop.call_soon(self._write)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _bytes(self, frame: Frame) -> bytes:
        return frame.packed if self._packs else frame.plain
