"""Reading every page: the first import, and now and then again, because pages shift and totals lie.

A large account is gone through in pieces between sweeps, so that what is live never waits for it (`scan`).
"""

import time
from uuid import UUID

from sessions_app.models import AgentSession
from sessions_app.polling import listed, places
from sessions_app.polling.cycle import MISSED_AGAIN_AFTER, Cycle
from sessions_app.polling.scan import Scan
from sessions_app.rules import cadence

PIECE_S = 1.2
MOST_VANISHED = 20
"""Per sweep of a small account, when its time has come; of a large one a few at each sweep."""
MOST_SUSPECTS = 6
MISSED_AT_ONCE = 20


def is_due(cycle: Cycle) -> bool:
    """Whether pages beyond those of the sweep are to be read."""
    return not cycle.extent.is_small and _time_has_come(cycle)


def vanished(cycle: Cycle) -> list[UUID]:
    """Ended sessions that a reading of the whole list did not show any more, some at a time.

    Read alone, they turn out to be deleted, or only out of the list.  The live ones are read alone anyway.
    """
    if cycle.error:
        return []
    if not cycle.extent.is_small:
        return listed.to_ask(cycle.account.pk, cycle.started_at, MOST_SUSPECTS)
    if not _time_has_come(cycle):
        return []
    known = AgentSession.objects.filter(account=cycle.account, gone_at=None, is_live=False)
    unseen = known.exclude(uuid__in=cycle.seen).order_by("-missing_since", "?")
    return list(unseen.values_list("uuid", flat=True)[:MOST_VANISHED])


def columns(cycle: Cycle) -> dict[str, object]:
    """What a sweep that read the whole list of a small account writes about it."""
    if not cycle.extent.is_small or cycle.live_part_short:
        return {}
    again = cycle.account.next_reconcile_at
    if again is None or _time_has_come(cycle):
        again = cycle.started_at + cadence.reconcile_every(cycle.extent.pages or 1)
    whole = {"reconciled_at": cycle.started_at, "reconcile_page": 1, "reconcile_missed": []}
    return whole | {"reconcile_started_at": None, "next_reconcile_at": again}


def piece(cycle: Cycle) -> None:
    """Some more pages, for about a second; where it stopped is left in `cycle.reconciled`."""
    cycle.reconciled = _missed_again(cycle) if _only_missed(cycle) else _more_of_all(cycle)
    if cycle.memory:
        places.keep(cycle.account.pk, cycle.memory, cycle.live.union(cycle.memory.places))


def _more_of_all(cycle: Cycle) -> dict[str, object]:
    scan, until = Scan(cycle), time.monotonic() + PIECE_S
    while not (scan.ended or scan.halted) and time.monotonic() < until:
        scan.go_on()
    return scan.columns()


def _only_missed(cycle: Cycle) -> bool:
    """Whether the last reading is young still, and only lacks some pages."""
    account = cycle.account
    if account.reconcile_page > 1 or not account.reconcile_missed or account.reconciled_at is None:
        return False
    return cycle.started_at < account.reconciled_at + cadence.reconcile_every(cycle.extent.pages or 1)


def _missed_again(cycle: Cycle) -> dict[str, object]:
    """Read what the last reading could not get; what fails again goes to the end of the queue."""
    account, before, standing = cycle.account, len(cycle.pages), cycle.error
    now, later = account.reconcile_missed[:MISSED_AT_ONCE], account.reconcile_missed[MISSED_AT_ONCE:]
    cycle.read_pages(now)
    cycle.error = standing
    got = {page.page for page in cycle.pages[before:]}
    left = later + [number for number in now if number not in got]
    if left:
        return {"reconcile_missed": left, "next_reconcile_at": cycle.now() + MISSED_AGAIN_AFTER}
    every = cadence.reconcile_every(cycle.extent.pages or 1)
    return {"reconcile_missed": [], "next_reconcile_at": (account.reconciled_at or cycle.started_at) + every}


def _time_has_come(cycle: Cycle) -> bool:
    again = cycle.account.next_reconcile_at
    return again is None or again <= cycle.started_at
