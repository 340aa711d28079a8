"""The live push of one web process: a plain ASGI application for `/live/stream`, beside Django.

Whatever happened is rendered once per kind of viewer (`Sight`), in a thread, and the same bytes are handed to
everybody who has that row on the screen.  The event loop never touches the database, and a viewer holds no
connection to it: with one per viewer, the 140th open screen made ordinary pages fail.

Events: `row` (HTML of one row), `gone` {id: uuid} (it left the floor), `new` {id, status, attention} or {count},
`pulse` (HTML of the summary strip), `resync` {why: slow | sight} (fetch the page again), `forbidden`.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sessions_app.live import events, stream, tickets
from sessions_app.live.house import House, Row, Tempo
from sessions_app.live.source import Source
from sessions_app.live.viewer import Audience, Viewer
from sessions_app.types import Sight

log = logging.getLogger(__name__)

MAX_INTRODUCED = 200  # more new sessions at once are only counted
FLOOR_PAGES = frozenset({"live", "attention"})


class Hub:
    """`await hub(scope, receive, send)` serves one viewer.  Starts by itself with the first one."""

    def __init__(self, house: House, redis_url: str, tempo: Tempo = Tempo()) -> None:  # noqa: B008 - frozen
        self._house = house
        self._redis_url = redis_url
        self._tempo = tempo
        self._audiences: dict[Sight, Audience] = {}
        self._changed: set[int] = set()
        self._new: set[int] = set()
        self._introduced: set[int] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def viewers(self) -> list[Viewer]:
        return [viewer for audience in self._audiences.values() for viewer in audience.viewers]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = stream.Request(scope)
        if request.method != "GET":
            return await stream.refuse(send, 405, "Only GET.")
        if self._stopping:
            return await stream.refuse(send, 503, "Restarting.")
        self._start()
        try:
            ticket = tickets.read(request.ticket)
            sight = await self._at_the_door(self._house.grant, ticket, request.session_key)
        except tickets.BadTicket:
            return await stream.refuse(send, 403, "This ticket is no good; fetch the page again.")
        except Exception as error:  # noqa: BLE001 - nothing of the request may reach a log
            log.error("live push: cannot check a viewer (%s)", type(error).__name__)
            return await stream.refuse(send, 503, "Cannot check who you are.")
        if sight is None:
            return await stream.refuse(send, 403, "Not signed in, or not allowed.")
        return await self._serve(Viewer(ticket, request.session_key, sight), request.since_ms, receive, send)

    def tell(self, changed: Iterable[int], new: Iterable[int] = ()) -> None:
        """These sessions changed; some are new.  With none at all, only the figures did."""
        self._changed.update(changed)
        self._new.update(set(new) - self._introduced)
        self._pulse_due = True
        if self._changed or self._new:
            self._awake.set()

    async def stop(self) -> None:
        """Ends every stream and all work.  The browsers come back by themselves."""
        self.hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tasks:
            self._push_threads.shutdown(wait=False, cancel_futures=True)
            self._door_threads.shutdown(wait=False, cancel_futures=True)

    def hang_up(self) -> None:
        """Ends every stream, now: the server is about to stop, and would wait for them."""
        self._stopping = True
        for viewer in self.viewers:
            viewer.close()

    # ---- viewers come and go ---------------------------------------------------------------------------

    async def _serve(self, viewer: Viewer, since_ms: int | None, receive: Any, send: Any) -> None:
        self._admit(viewer)  # before it catches up: what changes meanwhile is not missed
        catching_up = asyncio.create_task(self._catch_up(viewer, since_ms))
        try:
            await stream.converse(viewer, receive, send, self._tempo)
        finally:
            catching_up.cancel()
            self._dismiss(viewer)

    def _admit(self, viewer: Viewer) -> None:
        self._audiences.setdefault(viewer.sight, Audience(viewer.sight)).add(viewer)

    def _dismiss(self, viewer: Viewer) -> None:
        audience = self._audiences[viewer.sight]
        audience.discard(viewer)
        if not audience.viewers:
            del self._audiences[viewer.sight]

    async def _catch_up(self, viewer: Viewer, since_ms: int | None) -> None:
        """What changed since the viewer last heard of us, or since its page was made."""
        since = datetime.fromtimestamp(since_ms / 1000, UTC) if since_ms else viewer.ticket.made_at
        moment_ms = _now_ms()
        try:
            rows, pulse, new = await self._at_the_door(self._missed, viewer, since)
        except Exception as error:
            log.warning("live push: a viewer cannot catch up (%s)", type(error).__name__, exc_info=True)
            viewer.close()  # it comes back, and asks again
            return
        for session_id, row in rows.items():
            viewer.put_row(session_id, _row_frames(row, moment_ms)[viewer.ticket.page in FLOOR_PAGES])
        for row in new.values():
            viewer.put(_introduction(row, moment_ms))
        viewer.put_pulse(events.event("pulse", pulse, moment_ms))

    def _missed(self, viewer: Viewer, since: datetime) -> tuple[Mapping[int, Row], bytes, Mapping[int, Row]]:
        """Runs in a thread; there are four of them, so four catch up at once and the others wait."""
        since -= timedelta(seconds=self._tempo.overlap_s)
        rows = self._house.render(self._house.changed_since(viewer.ticket.session_ids, since), viewer.sight)
        new: Mapping[int, Row] = {}
        if viewer.ticket.page == "live":
            on_page = set(viewer.ticket.session_ids)
            ids = [c.session_id for c in self._house.changed_since_any(since) if c.is_new]
            new = self._house.render([i for i in ids if i not in on_page][:MAX_INTRODUCED], viewer.sight)
        return rows, self._house.pulse(viewer.sight), new

    # ---- what goes on for all of them ------------------------------------------------------------------

    def _start(self) -> None:
        if self._tasks:
            return
        tempo = self._tempo
        self._awake = asyncio.Event()
        self._pulse_due = True
        self._pulsed_at = 0.0
        self._push_threads = ThreadPoolExecutor(2, "live-push")
        self._door_threads = ThreadPoolExecutor(4, "live-door")
        poll = partial(self._in_push_thread, self._house.changed_since_any)
        source = Source(self._redis_url, poll, self.tell, tempo)
        jobs = (
            source.listen_forever(),
            source.poll_forever(),
            self._push_forever(),
            _repeat(self._send_pulse, tempo.pulse_least_s),
            _repeat(self._ping, tempo.ping_s),
            _repeat(self._check_grants, tempo.grant_s),
        )
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def _push_forever(self) -> None:
        """The first change goes out at once; what follows within a quarter of a second goes out together."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            changed, self._changed = self._changed, set()
            new, self._new = self._new, set()
            for audience in list(self._audiences.values()):
                await self._push(audience, changed, new)
            self._introduced |= new
            if len(self._introduced) > 20_000:
                self._introduced = new
            await asyncio.sleep(self._tempo.coalesce_s)

    async def _push(self, audience: Audience, changed: set[int], new: set[int]) -> None:
        moment_ms = _now_ms()
        floor = [viewer for viewer in audience.viewers if viewer.ticket.page == "live"] if new else []
        introduced = new if floor and len(new) <= MAX_INTRODUCED else set()
        rows = await self._rendered([*audience.watched(changed), *introduced], audience.sight)
        for session_id, row in rows.items():
            watching = audience.watching(session_id)
            if watching and audience.is_news(session_id, row.version):
                plain, with_end = _row_frames(row, moment_ms)
                for viewer in watching:
                    viewer.put_row(session_id, with_end if viewer.ticket.page in FLOOR_PAGES else plain)
        for viewer in floor:
            unseen = new.difference(viewer.ticket.session_ids)

    async def _rendered(self, session_ids: list[int], sight: Sight) -> Mapping[int, Row]: ...
