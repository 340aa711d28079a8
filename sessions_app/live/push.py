"""What goes to many: changed rows, new sessions, the summary strip, signs of life."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime

import redis

from sessions_app.live import events, frames, presence, watching
from sessions_app.live.house import Change, House, Row, Tempo
from sessions_app.live.threads import Threads
from sessions_app.live.viewer import Audience, Viewer
from sessions_app.types import Sight

log = logging.getLogger(__name__)

MAX_INTRODUCED = 200  # more new sessions at once are only counted
MAX_REMEMBERED = 20_000
PRESENCE = events.note("presence")


class Push:
    """Renders once per `Sight`, in a thread, and hands the same bytes to all who have that row on the screen."""

    def __init__(self, house: House, tempo: Tempo) -> None:
        self.audiences: dict[Sight, Audience] = {}
        self._house, self._tempo = house, tempo
        self._threads = Threads(2, "live-push")
        self.close = self._threads.close
        self._awake = asyncio.Event()
        self._changed: set[int] = set()
        self._new: set[int] = set()
        self._introduced: set[int] = set()
        self._pulse_due = True
        self._pulsed_at = 0.0
        self._present: dict[int, presence.Presence] = {}

    @property
    def viewers(self) -> list[Viewer]:
        return [viewer for audience in self.audiences.values() for viewer in audience.viewers]

    def add(self, viewer: Viewer) -> Audience:
        audience = self.audiences.setdefault(viewer.sight, Audience(viewer.sight))
        audience.add(viewer)
        return audience

    def discard(self, viewer: Viewer) -> None:
        audience = self.audiences[viewer.sight]
        audience.discard(viewer)
        if not audience.viewers:
            del self.audiences[viewer.sight]

    async def changed_since(self, moment: datetime) -> list[Change]:
        return await self._threads.run(self._house.changed_since_any, moment)

    def tell(self, changed: Iterable[int], new: Iterable[int] = ()) -> None:
        """These sessions changed; some are new.  With none at all, only the figures did."""
        self._changed.update(changed)
        self._new.update(set(new) - self._introduced)
        self._pulse_due = True
        if self._changed or self._new:
            self._awake.set()

    async def deliver(self) -> None:
        """Waits for something to tell, and tells it."""
        await self._awake.wait()
        self._awake.clear()
        changed, self._changed = self._changed, set()
        new, self._new = self._new, set()
        for audience in list(self.audiences.values()):
            await self._deliver_to(audience, changed, new)
        self._introduced |= new
        if len(self._introduced) > MAX_REMEMBERED:
            self._introduced = new

    async def _deliver_to(self, audience: Audience, changed: set[int], new: set[int]) -> None:
        moment_ms = _now_ms()
        floor = [v for v in audience.viewers if v.ticket.page == "live"] if new else []
        named = new if floor and len(new) <= MAX_INTRODUCED else set()
        rows = await self._rendered({*audience.watched(changed), *named}, audience.sight)
        for session_id, row in rows.items():
            watching = audience.watching(session_id)
            if watching and audience.is_news(session_id, row.version):
                row_frames = frames.RowFrames(row, moment_ms)
                for viewer in watching:
                    viewer.put_row(session_id, row_frames.on(viewer.ticket.page))
        arrivals = {
            i: frames.introduction(rows[i], moment_ms) for i in named & rows.keys() if rows[i].is_live
        }
        for viewer in floor:
            if not named:
                viewer.put(frames.crowd(len(new), moment_ms))
            for session_id in arrivals.keys() - viewer.on_page:
                viewer.put(arrivals[session_id])

    async def _rendered(self, session_ids: set[int], sight: Sight) -> Mapping[int, Row]:
        """Nothing when it fails: the source looks back far enough to tell of the same changes again."""
        if not session_ids:
            return {}
        try:
            return await self._threads.run(self._house.render, session_ids, sight)
        except Exception as error:
            log.warning("live push: cannot render rows (%s)", type(error).__name__, exc_info=True)
            return {}

    async def pulse(self) -> None:
        """The summary strip, to everybody, if it is time and says something else than before."""
        if not self._pulse_due and time.monotonic() - self._pulsed_at < self._tempo.pulse_most_s:
            return
        self._pulse_due, self._pulsed_at = False, time.monotonic()
        for audience in list(self.audiences.values()):
            moment_ms = _now_ms()
            html = await self._threads.run(self._house.pulse, audience.sight)
            if html != audience.pulse:
                audience.pulse = html
                frame = frames.pulse(html, moment_ms)
                for viewer in audience.viewers:
                    viewer.put_pulse(frame)

    async def note_opened(self) -> None:
        """Says which sessions have their own page open, and at whom; tells their pages when others come or go."""
        viewers = [viewer for viewer in self.viewers if viewer.ticket.page == "session"]
        pairs = {(pk, viewer.ticket.user_id) for viewer in viewers for pk in viewer.ticket.session_ids}
        try:
            present = await self._threads.run(_note, pairs)
        except (redis.RedisError, OSError):
            return  # the source says that Redis is away; sweeps read them all the same
        news = {pk for pk, people in present.items() if self._present.get(pk, people) != people}
        self._present = present
        for viewer in viewers:
            if news.intersection(viewer.ticket.session_ids):
                viewer.put(PRESENCE)

    async def ping(self) -> None:
        frame = events.ping(_now_ms())
        for viewer in self.viewers:
            viewer.put(frame)
            viewer.give_up_if_stuck(self._tempo.write_s)


def _note(pairs: set[tuple[int, int]]) -> dict[int, presence.Presence]:
    """In a thread: notes both, and says who is there."""
    opened = {pk for pk, _ in pairs}
    watching.note(opened)
    presence.note(pairs)
    return presence.of_all(opened)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
