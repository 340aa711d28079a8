"""One cycle for one claimed account: read what may have changed, write what did, say when to look again.

Small accounts are read whole.  Of large ones: page 1, the pages where live sessions stand, and those that stand
alone; the whole list is gone through now and then, in pieces (`reconcile`).
"""

import logging

from sessions_app.live import publish
from sessions_app.models import Account
from sessions_app.polling import alone, attention, cooling, outcome, places, reconcile, schedule
from sessions_app.polling.cycle import Cycle
from sessions_app.rules.pages import plan
from sessions_app.upstream.errors import UpstreamError

log = logging.getLogger(__name__)

MOST_PAGES = 60
"""Per sweep, besides page 1: what a plan asks for beyond that is left to the reconcile."""


def sweep(account: Account) -> bool:
    """Read a claimed account once, and give it back.  True when all went well.

    A failure is written on the account; pages see by `last_read_at` how old everything is.
    """
    cycle = Cycle(account)
    try:
        _read(cycle)
    except schedule.LeaseLost:
        log.warning("account %s: somebody else reads it now", account.slug)
        return False
    except UpstreamError as error:
        outcome.failed(cycle, error)
    except Exception as error:
        log.exception("account %s: the sweep broke", account.slug)
        outcome.broke(cycle, error)
    publish.swept(account.pk)
    return cycle.went_well


def _read(cycle: Cycle) -> None:
    """The live part first; what it learned is written before the long reading of everything goes on."""
    _live_part(cycle)
    if cycle.error:
        raise cycle.error
    cooling.cool(cycle.account, cycle.started_at)
    attention.refresh(cycle.account, cycle.now())
    if reconcile.is_due(cycle):
        outcome.so_far(cycle)
        publish.swept(cycle.account.pk)
        reconcile.piece(cycle)
    outcome.done(cycle)


def _live_part(cycle: Cycle) -> None:
    """After it, everything that is live has been read, or is next in turn."""
    account = cycle.account
    cycle.read_first_page()
    rows = alone.live_rows(account)
    cycle.live_count = len(rows)
    if cycle.extent.is_small:
        cycle.read_pages(range(2, (cycle.extent.pages or 1) + 1))
    else:
        _planned_pages(cycle, rows)
    turn, cycle.single_read_after = alone.in_turn(
        rows, cycle.seen, account.single_read_after, cycle.started_at
    )
    settling = alone.settling(account, account.last_read_at, cycle.started_at)
    cycle.read_alone(list(dict.fromkeys([*settling, *turn, *reconcile.vanished(cycle)])))


def _planned_pages(cycle: Cycle, rows: list[alone.LiveRow]) -> None:
    """The pages on which new and live sessions should stand by now."""
    account, known = cycle.account, cycle.extent
    memory = cycle.remember()
    added = max(0, (known.total or 0) - (account.sessions_upstream or known.total or 0))
    # Something was added, and page 1 has nothing new: then it stands at the other end.
    memory.newest_first = bool(cycle.new) or (memory.newest_first and not added)
    wanted = [row.uuid for row in rows if row.uuid not in cycle.seen and row.missing_since is None]
    todo = plan(wanted, memory.places, known, added=added, newest_first=memory.newest_first)
    cycle.read_pages(todo.pages[:MOST_PAGES])
    places.keep(account.pk, memory, cycle.live.union(wanted))
