"""What goes to many: changed rows, new sessions, the summary strip, signs of life."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime

import redis

from sessions_app.live import events, frames, presence, watching
from sessions_app.live.audience import Audience
from sessions_app.live.delta import parts_that_differ
from sessions_app.live.house import Change, House, Row, Tempo
from sessions_app.live.threads import Threads
from sessions_app.live.viewer import Viewer
from sessions_app.types import Sight

log = logging.getLogger(__name__)

MAX_INTRODUCED = 200  # more new sessions at once are only counted
MAX_REMEMBERED = 20_000
PRESENCE = frames.Frame(events.note("presence"))


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
        self._arrived: dict[int, int] = {}  # new sessions of late → when that was told, in ms
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
        if not audience:
            del self.audiences[viewer.sight]

    async def changed_since(self, moment: datetime) -> list[Change]:
        return await self._threads.run(self._house.changed_since_any, moment)

    def tell(self, changed: Iterable[int], new: Iterable[int] = ()) -> None:
        """These sessions changed; some are new.  With none at all, only the figures did."""
        self._changed.update(changed)
        self._new.update(set(new) - self._arrived.keys())
        self._pulse_due = True
        if self._changed or self._new:
            self._awake.set()

    async def deliver(self) -> None:
        """Waits for something to tell, and tells it.  What the database says once more is none: whoever rests after
        a delivery, so that what follows goes out together, would let the next change wait for nothing."""
        while not await self._deliver_once():
            pass

    async def _deliver_once(self) -> bool:
        """Whether anybody was told anything."""
        await self._awake.wait()
        self._awake.clear()
        changed, self._changed = self._changed, set()
        new, self._new = self._new, set()
        told = [await self._deliver_to(audience, changed, new) for audience in list(self.audiences.values())]
        self._arrived.update(dict.fromkeys(new, _now_ms()))
        for session_id in list(self._arrived)[: max(0, len(self._arrived) - MAX_REMEMBERED)]:
            del self._arrived[session_id]
        return any(told)

    async def _deliver_to(self, audience: Audience, changed: set[int], new: set[int]) -> bool:
        moment_ms = _now_ms()
        floor = await self._arrivals(audience, changed, new)
        named = {pk for ids in floor.values() if len(ids) <= MAX_INTRODUCED for pk in ids}
        rows = await self._rendered({*audience.watched(changed), *named}, audience.sight)
        has_news = audience.show(rows, moment_ms)
        live = {
            pk: frames.introduction(rows[pk], moment_ms) for pk in named & rows.keys() if rows[pk].is_live
        }
        for viewer, ids in floor.items():
            if len(ids) > MAX_INTRODUCED:
                viewer.put(frames.crowd(len(ids), moment_ms))
            else:
                for session_id in ids & live.keys():
                    viewer.introduce(session_id, live[session_id])
        return has_news or bool(floor)

    async def _arrivals(self, audience: Audience, changed: set[int], new: set[int]) -> dict[Viewer, set[int]]:
        """For each viewer of the floor the new sessions that its filter lets through, or lets through by now."""
        late = changed & self._arrived.keys()
        if not new and not late:
            return {}
        viewers, found = audience.viewers_of("live"), {"": new}
        for query in {viewer.ticket.query for viewer in viewers} - {""}:
            found[query] = await self._matching(new | late, query, audience.sight)
        return {viewer: self._since(viewer, found[viewer.ticket.query], new) for viewer in viewers}

    def _since(self, viewer: Viewer, ids: set[int], new: set[int]) -> set[int]:
        """Those that are new to this page: what came before it was made was left out of it on purpose."""
        made_ms = viewer.ticket.made_at.timestamp() * 1000
        return {pk for pk in ids if pk in new or self._arrived[pk] >= made_ms}

    async def _matching(self, session_ids: set[int], query: str, sight: Sight) -> set[int]:
        try:
            return await self._threads.run(self._house.matching, session_ids, query, sight)
        except Exception as error:
            log.warning("live push: cannot match new sessions (%s)", type(error).__name__, exc_info=True)
            return set()

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
                parts = parts_that_differ(audience.pulse, html)
                audience.pulse = html
                whole = frames.pulse(html, moment_ms)
                changes = frames.pulse(parts, moment_ms) if parts else None
                for viewer in audience.viewers:
                    if viewer.is_first:
                        viewer.put_pulse(whole, changes)

    async def note_opened(self) -> None:
        """Says which sessions have their own page open, and at whom; tells their pages when others come or go."""
        viewers = [viewer for viewer in self.viewers if viewer.ticket.page == "session"]
        pairs = {(pk, viewer.ticket.user_id) for viewer in viewers for pk in viewer.ticket.session_ids}
        if not pairs and not self._present:
            return
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
        frame = frames.Frame(events.ping(_now_ms()))
        for viewer in self.viewers:
            if viewer.is_first:
                viewer.put(frame)


def _note(pairs: set[tuple[int, int]]) -> dict[int, presence.Presence]:
    """In a thread: notes both, and says who is there."""
    opened = {pk for pk, _ in pairs}
    watching.note(opened)
    presence.note(pairs)
    return presence.of_all(opened)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
