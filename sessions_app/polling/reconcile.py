"""Reading every page: the first import, and now and then again, because pages shift and totals lie.

A large account is gone through in pieces between sweeps, so that what is live never waits for it.
"""

import logging
import time
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from sessions_app.models import AgentSession
from sessions_app.polling import places
from sessions_app.polling.cycle import AT_ONCE, Cycle
from sessions_app.rules import cadence
from sessions_app.rules.pages import is_last
from sessions_app.upstream.pages import SessionPage

log = logging.getLogger(__name__)

PIECE_S = 1.2
MOST_PAGES = 50_000
"""A list that never ends is cut here."""
MOST_VANISHED = 20


def is_due(cycle: Cycle) -> bool:
    """Whether pages beyond those of the sweep are to be read."""
    return not cycle.extent.is_small and _time_has_come(cycle)


def vanished(cycle: Cycle) -> list[UUID]:
    """Ended sessions that the whole list of a small account does not show any more, some at a time.

    Read alone, they turn out to be deleted, or only out of the list.  The live ones are read alone anyway.
    """
    if not cycle.extent.is_small or cycle.error or not _time_has_come(cycle):
        return []
    known = AgentSession.objects.filter(account=cycle.account, gone_at=None, is_live=False)
    unseen = known.exclude(uuid__in=cycle.seen).order_by("-missing_since", "?")
    return list(unseen.values_list("uuid", flat=True)[:MOST_VANISHED])


def columns(cycle: Cycle) -> dict[str, object]:
    """What a sweep that read the whole list of a small account writes about it."""
    if not cycle.extent.is_small:
        return {}
    again = cycle.account.next_reconcile_at
    if again is None or _time_has_come(cycle):
        again = cycle.started_at + cadence.reconcile_every(cycle.extent.pages or 1)
    return {"reconciled_at": cycle.started_at, "reconcile_page": 1, "next_reconcile_at": again}


def piece(cycle: Cycle) -> None:
    """Some more pages, for about a second; where it stopped is left in `cycle.reconciled`."""
    account = cycle.account
    page = max(1, account.reconcile_page)
    began = account.reconcile_started_at if page > 1 else None
    until = time.monotonic() + PIECE_S
    ended = False
    while not ended and time.monotonic() < until:
        ended = _batch(cycle, page)
        page += AT_ONCE
    cycle.reconciled = _progress(cycle, page, began or cycle.started_at, ended=ended)
    if cycle.memory:
        places.keep(account.pk, cycle.memory, cycle.live.union(cycle.memory.places))


def _batch(cycle: Cycle, first: int) -> bool:
    """Read four pages, twice those that failed.  True when the list ended with one of them."""
    before = len(cycle.pages)
    numbers = range(first, first + AT_ONCE)
    cycle.read_pages(numbers)
    read = {page.page for page in cycle.pages[before:]}
    cycle.read_pages([number for number in numbers if number not in read])
    pages = sorted(cycle.pages[before:], key=lambda page: page.page)
    skipped = len(numbers) - len(pages)
    if skipped:
        log.warning("account %s: %d pages from %d on could not be read", cycle.account.slug, skipped, first)
        cycle.error = None  # they are read next time; the live part went well
    return first > MOST_PAGES or _is_end(cycle, pages)


def _is_end(cycle: Cycle, pages: list[SessionPage]) -> bool:
    if any(is_last(cycle.extent, page.page, len(page.items) + len(page.set_aside)) for page in pages):
        return True
    # A server that answers every page with the same one.
    uuids = [{item.uuid for item in page.items} for page in pages]
    return any(one and one == other for one, other in pairwise(uuids))


def _progress(cycle: Cycle, page: int, began: datetime, *, ended: bool) -> dict[str, object]:
    if not ended:
        return {"reconcile_page": page, "reconcile_started_at": began}
    again = cycle.now() + cadence.reconcile_every(cycle.extent.pages or page)
    return {
        "reconcile_page": 1,
        "reconcile_started_at": None,
        "reconciled_at": began,
        "next_reconcile_at": again,
    }


def _time_has_come(cycle: Cycle) -> bool:
    again = cycle.account.next_reconcile_at
    return again is None or again <= cycle.started_at
