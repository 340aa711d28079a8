"""Who may come in, what they missed, and whether they may stay.  All of it asks the database, so: in threads."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sessions_app.live import frames, tickets
from sessions_app.live.audience import Audience
from sessions_app.live.house import House, Row, Tempo
from sessions_app.live.stream import Request
from sessions_app.live.threads import Threads
from sessions_app.live.tickets import Ticket
from sessions_app.live.viewer import FORBIDDEN, SIGHT, Viewer
from sessions_app.types import Sight

log = logging.getLogger(__name__)

MAX_INTRODUCED = 200  # of those that came while a browser was away; their page is fetched again anyway
AT_ONCE = 4  # when a thousand browsers come back together, so many catch up and the others wait


class Refused(Exception):
    """No stream for this request: an HTTP status and a sentence."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class _Missed(NamedTuple):
    rows: Mapping[int, Row]
    new: Mapping[int, Row]
    pulse: bytes


class Door:
    """Lets viewers in, hands them what they missed, and sees to it that nobody stays who may not."""

    def __init__(self, house: House, tempo: Tempo) -> None:
        self._house, self._tempo = house, tempo
        self._threads = Threads(AT_ONCE, "live-door")
        self.close = self._threads.close

    async def let_in(self, request: Request) -> list[Viewer | None]:
        """A viewer per ticket, None where that one is no good; raises Refused when none is."""
        read = [_read(asked.ticket) for asked in request.asked]
        if not any(read):
            raise Refused(403, "This ticket is no good; fetch the page again.")
        try:
            # A browser's tabs are the same person's: one question for all of them.
            sights = {
                ticket.user_id: await self._threads.run(self._house.grant, ticket, request.session_key)
                for ticket in {ticket.user_id: ticket for ticket in read if ticket}.values()
            }
        except Exception as error:  # noqa: BLE001
            # Only the kind of error: nothing of the request may reach a log.
            log.error("live push: cannot check a viewer (%s)", type(error).__name__)
            raise Refused(503, "Cannot check who you are.") from None
        viewers = _viewers(read, sights, request.session_key)
        if not any(viewers):
            raise Refused(403, "Not signed in, or not allowed.")
        return viewers

    async def catch_up(self, viewer: Viewer, audience: Audience, since_ms: int | None) -> None:
        """Puts what changed since the viewer last heard of us, or since its page was made."""
        since = datetime.fromtimestamp(since_ms / 1000, UTC) if since_ms else viewer.ticket.made_at
        moment_ms, pulse_before = time.time_ns() // 1_000_000, audience.pulse
        try:
            missed = await self._threads.run(self._missed, viewer, since)
        except Exception as error:
            log.warning("live push: a viewer cannot catch up (%s)", type(error).__name__, exc_info=True)
            viewer.close()  # it comes back, and asks again
            return
        for session_id, row in missed.rows.items():
            if row.version >= audience.shown(session_id):  # else a newer one went out while we read
                viewer.put_row(session_id, frames.RowFrames(row, moment_ms).on(viewer.ticket.page))
        for session_id, row in missed.new.items():
            if row.is_live:
                viewer.introduce(session_id, frames.introduction(row, moment_ms))
        if audience.pulse is pulse_before and viewer.is_first:
            viewer.put_pulse(frames.pulse(missed.pulse, moment_ms))
        viewer.is_current = True
        viewer.put(frames.ready(moment_ms))

    def _missed(self, viewer: Viewer, since: datetime) -> _Missed:
        since -= timedelta(seconds=self._tempo.overlap_s)
        house, ticket = self._house, viewer.ticket
        rows = house.render(house.changed_since(ticket.session_ids, since), viewer.sight)
        new: Mapping[int, Row] = {}
        if ticket.page == "live":
            on_page = set(ticket.session_ids)
            ids = [change.session_id for change in house.changed_since_any(since) if change.is_new]
            ids = [i for i in ids if i not in on_page]
            if ticket.query:
                matching = house.matching(ids, ticket.query, viewer.sight)
                ids = [i for i in ids if i in matching]
            new = house.render(ids[-MAX_INTRODUCED:], viewer.sight)
        return _Missed(rows, new, house.pulse(viewer.sight))

    async def check(self, viewers: Iterable[Viewer]) -> None:
        """Ends the streams of those who signed out, were shut out, or see other things than before."""
        by_browser: dict[tuple[int, str], list[Viewer]] = {}
        for viewer in viewers:
            by_browser.setdefault(viewer.key, []).append(viewer)
        for (_, session_key), theirs in by_browser.items():
            try:
                sight = await self._threads.run(self._house.grant, theirs[0].ticket, session_key)
            except Exception as error:  # noqa: BLE001 - asked again in a minute; no stream lives for long
                log.warning("live push: cannot check viewers (%s)", type(error).__name__)
                return
            for viewer in theirs:
                if sight != viewer.sight:
                    viewer.close(FORBIDDEN if sight is None else SIGHT)


def _read(text: str) -> Ticket | None:
    try:
        return tickets.read(text)
    except tickets.BadTicket:
        return None


def _viewers(
    read: Sequence[Ticket | None], sights: Mapping[int, Sight | None], session_key: str
) -> list[Viewer | None]:
    viewers: list[Viewer | None] = []
    for ticket in read:
        sight = sights[ticket.user_id] if ticket else None
        is_first = not any(viewers)
        viewers.append(
            Viewer(ticket, session_key, sight, is_first=is_first) if ticket and sight is not None else None
        )
    return viewers
