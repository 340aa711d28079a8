"""The live push of one web process: a plain ASGI application for `/live/stream`, beside Django.

Whatever happened is rendered once per kind of viewer (`Sight`), in a thread, and the same bytes are handed to
everybody who has that row on the screen.  The event loop never touches the database, and a viewer holds no
connection to it: with one per viewer, the 140th open screen made ordinary pages fail.

Events: `row` (HTML of one row), `gone` {id: uuid} (it left this page), `new` {id, status, attention} or {count},
`pulse` (HTML of the summary strip), `presence` (somebody came to the session, or left it), `ready` (all that was
missed is told), `ping`, `resync` {why: slow | sight} (fetch the page again), `forbidden`; `view` {n} when the tabs of
a browser share the stream: for which of them the next events are (`line`).  HTML may hold only those parts of a row
or of the strip that differ (`delta`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from sessions_app.live import stream
from sessions_app.live.door import Door, Refused
from sessions_app.live.house import House, Tempo
from sessions_app.live.line import Line
from sessions_app.live.push import Push
from sessions_app.live.source import Source
from sessions_app.live.viewer import Viewer

log = logging.getLogger(__name__)


class Hub:
    """`await hub(scope, receive, send)` serves one viewer.  Its work begins with the first one."""

    def __init__(self, house: House, redis_url: str, tempo: Tempo = Tempo()) -> None:  # noqa: B008 - frozen
        self._tempo = tempo
        self._door = Door(house, tempo)
        self._push = Push(house, tempo)
        self._lines: set[Line] = set()
        self._people = asyncio.Event()
        self._source = Source(redis_url, self._push.changed_since, self._push.tell, self._people.set, tempo)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def viewers(self) -> list[Viewer]:
        return self._push.viewers

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = stream.Request(scope)
        if request.method != "GET":
            return await stream.refuse(send, 405, "Only GET.")
        if self._stopping:
            return await stream.refuse(send, 503, "Restarting.")
        self._start()
        try:
            viewers = await self._door.let_in(request)
        except Refused as refusal:
            return await stream.refuse(send, refusal.status, refusal.words)
        sinces, packs = [asked.since_ms for asked in request.asked], request.takes_gzip
        del request  # ten thousand open streams would hold on to as many copies of their headers
        return await self._serve(viewers, sinces, receive, send, packs=packs)

    def hang_up(self) -> None:
        """Ends every stream, now: the server is about to stop, and would wait for them.  Browsers come back."""
        self._stopping = True
        for line in list(self._lines):
            line.close()

    async def stop(self) -> None:
        """Ends every stream, and all work."""
        self.hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._door.close()
        self._push.close()

    async def _serve(
        self,
        viewers: Sequence[Viewer | None],
        sinces: Sequence[int | None],
        receive: Any,
        send: Any,
        *,
        packs: bool,
    ) -> None:
        line = Line(viewers, send, packs=packs)
        self._lines.add(line)
        catching_up = [
            # Added before it catches up: what changes meanwhile is not missed.
            asyncio.create_task(self._door.catch_up(viewer, self._push.add(viewer), since_ms))
            for viewer, since_ms in zip(viewers, sinces, strict=True)
            if viewer is not None
        ]
        if self._stopping:
            line.close()
        refused = [place for place, viewer in enumerate(viewers) if viewer is None]
        try:
            await stream.converse(line, refused, receive, send, self._tempo, packs=packs)
        finally:
            self._lines.discard(line)
            for task in catching_up:
                task.cancel()
            for viewer in filter(None, viewers):
                self._push.discard(viewer)

    def _start(self) -> None:
        if self._tasks:
            return
        jobs = (
            self._source.listen_forever(),
            self._source.poll_forever(),
            # The first change goes out at once; what follows within a quarter of a second goes out together.
            _repeat(self._push.deliver, self._tempo.coalesce_s),
            _repeat(self._push.pulse, self._tempo.pulse_least_s),
            _repeat(self._ping, self._tempo.ping_s),
            _repeat(self._push.note_opened, self._tempo.watch_s),
            _repeat(self._check_grants, 0),
        )
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def _check_grants(self) -> None:
        """Now and then, and soon after somebody said that people changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._tempo.grant_s):
                await self._people.wait()
                await asyncio.sleep(self._tempo.grant_least_s)
        self._people.clear()
        await self._door.check(self.viewers)

    async def _ping(self) -> None:
        await self._push.ping()
        for line in self._lines:
            line.give_up_if_stuck(self._tempo.write_s)


async def _repeat(job: Callable[[], Awaitable[None]], pause_s: float) -> None:
    """Whatever happens to one round, there is a next one."""
    while True:
        await asyncio.sleep(pause_s)
        try:
            await job()
        except Exception:
            log.exception("live push: a round failed")
