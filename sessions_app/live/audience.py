"""Who looks at what: the viewers that see alike, screen by screen."""

from collections.abc import Iterable, Iterator, Mapping

from sessions_app.live.frames import Batch, RowFrames
from sessions_app.live.house import Row
from sessions_app.live.viewer import Viewer
from sessions_app.types import Sight


class Screen:
    """The same rows on the same kind of page: its viewers get the very same bytes."""

    __slots__ = ("page", "session_ids", "viewers")

    def __init__(self, session_ids: tuple[int, ...], page: str) -> None:
        self.session_ids, self.page = session_ids, page
        self.viewers: set[Viewer] = set()


class Audience:
    """The viewers of one `Sight`: a row is rendered once for all of them."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.pulse = b""
        """The summary strip as it last went out."""
        self._screens: dict[tuple[tuple[int, ...], str], Screen] = {}
        self._by_session: dict[int, set[Screen]] = {}
        self._shown: dict[int, Row] = {}

    @property
    def viewers(self) -> Iterator[Viewer]:
        return (viewer for screen in self._screens.values() for viewer in screen.viewers)

    def viewers_of(self, page: str) -> list[Viewer]:
        """Those whose page is of that kind."""
        screens = [screen for screen in self._screens.values() if screen.page == page]
        return [viewer for screen in screens for viewer in screen.viewers]

    def add(self, viewer: Viewer) -> None:
        ids, page = viewer.ticket.session_ids, viewer.ticket.page
        screen = self._screens.get((ids, page))
        if screen is None:
            screen = self._screens[ids, page] = Screen(ids, page)
            for session_id in ids:
                self._by_session.setdefault(session_id, set()).add(screen)
        viewer.ticket = viewer.ticket._replace(session_ids=screen.session_ids)  # a list for all, not one each
        screen.viewers.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        screen = self._screens[viewer.ticket.session_ids, viewer.ticket.page]
        screen.viewers.discard(viewer)
        if not screen.viewers:
            del self._screens[screen.session_ids, screen.page]
            for session_id in screen.session_ids:
                self._forget(session_id, screen)

    def _forget(self, session_id: int, screen: Screen) -> None:
        screens = self._by_session[session_id]
        screens.discard(screen)
        if not screens:
            del self._by_session[session_id]
            self._shown.pop(session_id, None)

    def __bool__(self) -> bool:
        return bool(self._screens)

    # ---- rows ------------------------------------------------------------------------------------------

    def watched(self, session_ids: Iterable[int]) -> list[int]:
        """Those of the sessions that somebody here has on the screen."""
        return [session_id for session_id in session_ids if session_id in self._by_session]

    def shown(self, session_id: int) -> int:
        """The version that last went out to those who watch it; -1 when none did."""
        row = self._shown.get(session_id)
        return -1 if row is None else row.version

    def show(self, rows: Mapping[int, Row], moment_ms: int) -> bool:
        """Hands these rows to everybody who has them on the screen; whether any was news.  Redis and the database both
        tell of a change: a version that was shown is none."""
        fresh = {
            pk: row for pk, row in rows.items() if pk in self._by_session and row.version > self.shown(pk)
        }
        made = {pk: RowFrames(row, moment_ms, self._shown.get(pk)) for pk, row in fresh.items()}
        self._shown.update(fresh)
        by_screen: dict[Screen, dict[int, RowFrames]] = {}
        for session_id, frames in made.items():
            for screen in self._by_session[session_id]:
                by_screen.setdefault(screen, {})[session_id] = frames
        for screen, theirs in by_screen.items():
            batch = Batch(theirs, screen.page)
            for viewer in screen.viewers:
                viewer.put_rows(batch)
        return bool(by_screen)
