"""One reading of every page, a piece at a time: where it stands, what it could not get, and whom it showed."""

import logging
from datetime import timedelta
from itertools import pairwise

from sessions_app.polling import listed
from sessions_app.polling.cycle import AT_ONCE, MISSED_AGAIN_AFTER, Cycle
from sessions_app.rules import cadence
from sessions_app.rules.pages import is_last
from sessions_app.upstream.errors import Refused, UpstreamError
from sessions_app.upstream.pages import SessionPage

log = logging.getLogger(__name__)

MOST_PAGES = 50_000
"""A list that never ends is cut here."""
MOST_MISSED = 200
"""With more pages that fail the reading waits where it is: upstream is ill, and the list is no shorter for it."""


class Scan:
    """Begun, or taken up where the last piece left it.  `halted`: not over, but nothing more is to be had now."""

    def __init__(self, cycle: Cycle) -> None:
        account = cycle.account
        goes_on = account.reconcile_page > 1
        self.cycle = cycle
        self.page = max(1, account.reconcile_page)
        self.began = (goes_on and account.reconcile_started_at) or cycle.started_at
        self.missed: list[int] = list(account.reconcile_missed) if goes_on else []
        self.shown = listed.recall(account.pk) if goes_on else bytearray()
        self.ended = self.halted = False

    def go_on(self) -> None:
        """Four more pages, twice those that failed."""
        numbers = range(self.page, self.page + AT_ONCE)
        pages, error = self._read(numbers)
        got = {page.page for page in pages}
        unread = [number for number in numbers if number not in got]
        listed.add(self.shown, pages)
        self.ended = self.page > MOST_PAGES or self._is_end(pages, error)
        if self.cycle.short:
            self.halted, self.page = True, next(iter(unread), numbers.stop)
        elif self._note_missed(unread):
            self.halted, self.page = not pages, numbers.stop
        else:
            self.halted = True

    def columns(self) -> dict[str, object]:
        """Where it stands, for the account."""
        account = self.cycle.account
        if not self.ended:
            listed.keep(account.pk, self.shown)
            going_on = {"reconcile_page": self.page, "reconcile_started_at": self.began}
            return going_on | {"reconcile_missed": self.missed}
        if not self.missed:
            listed.suspect(account, self.shown, self.began)
        return {
            "reconcile_page": 1,
            "reconcile_started_at": None,
            "reconciled_at": self.began,
            "reconcile_missed": self.missed,
            "next_reconcile_at": self.cycle.now() + self._pause(),
        }

    def _pause(self) -> timedelta:
        return MISSED_AGAIN_AFTER if self.missed else cadence.reconcile_every(self._pages or self.page)

    @property
    def _pages(self) -> int | None:
        return self.cycle.extent.pages

    def _read(self, numbers: range) -> tuple[list[SessionPage], UpstreamError | None]:
        """What came, in the order of the list, and why not all.  That is no failure of the sweep: it is noted here."""
        cycle, before, standing = self.cycle, len(self.cycle.pages), self.cycle.error
        cycle.error = None
        cycle.read_pages(numbers)
        got = {page.page for page in cycle.pages[before:]}
        cycle.read_pages([number for number in numbers if number not in got])
        error, cycle.error = cycle.error, standing
        return sorted(cycle.pages[before:], key=lambda page: page.page), error

    def _note_missed(self, unread: list[int]) -> bool:
        """Those that exist, by what the vendor says.  False when they are too many by now."""
        missed = [number for number in unread if number <= (self._pages or 0)]
        if missed and len(self.missed) + len(missed) > MOST_MISSED:
            return False
        if missed:
            log.warning("account %s: pages %s could not be read", self.cycle.account.slug, missed)
        self.missed += [number for number in missed if number not in self.missed]
        return True

    def _is_end(self, pages: list[SessionPage], error: UpstreamError | None) -> bool:
        known = self.cycle.extent
        if any(is_last(known, page.page, len(page.items) + len(page.set_aside)) for page in pages):
            return True
        # A server that refuses what lies behind the end.
        if not pages and isinstance(error, Refused) and self.page > (known.pages or 0):
            return True
        # A server that answers every page with the same one.
        uuids = [{item.uuid for item in page.items} for page in pages]
        return any(one and one == other for one, other in pairwise(uuids))
