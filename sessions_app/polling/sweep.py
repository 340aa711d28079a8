"""One cycle for one claimed account: read what may have changed, write what did, say when to look again.

Small accounts are read whole.  Of large ones: page 1, the pages where due sessions stand, and those that stand
alone; the whole list is gone through now and then, in pieces (`reconcile`).  The most urgent come first, so that
where the budget of requests ends, the rest is what can wait best.
"""

import logging
from datetime import timedelta

from sessions_app.live import publish
from sessions_app.models import Account
from sessions_app.polling import (
    ages,
    alone,
    attention,
    cooling,
    newcomers,
    outcome,
    places,
    reconcile,
    schedule,
    shortage,
)
from sessions_app.polling.cycle import Cycle
from sessions_app.polling.following import Following
from sessions_app.rules.freshness import Ask, Care, in_order
from sessions_app.rules.pages import page_of, plan
from sessions_app.upstream.errors import OverBudget, UpstreamError

log = logging.getLogger(__name__)

MOST_PAGES = 120
"""Per sweep, besides page 1: what a plan asks for beyond that waits for the next, as the least urgent."""
FRESH_ENOUGH = timedelta(seconds=60)
"""Who was not read for longer seems stalled to whoever assesses it."""


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
    except OverBudget as error:
        outcome.postponed(cycle, error)
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
    if cycle.error and not cycle.is_well_but_for_pages():
        raise cycle.error
    cycle.note_bad_pages()
    cooling.cool(cycle.account, cycle.started_at)
    since = cycle.following.since(Care.RUNNING, cycle.started_at)
    if since and cycle.started_at - since < FRESH_ENOUGH:
        attention.refresh(cycle.account, cycle.now())
    if reconcile.is_due(cycle):
        outcome.so_far(cycle)
        publish.swept(cycle.account.pk)
        cycle.purpose, cycle.short = "reconcile", None
        reconcile.piece(cycle)
    outcome.done(cycle)


def _live_part(cycle: Cycle) -> None:
    """After it, everything that is due has been read, unless it is `short`."""
    account = cycle.account
    cycle.read_first_page()
    following = cycle.following = Following(account, alone.live_rows(account), cycle.started_at)
    cycle.read(_rest_of_the_list(cycle) if cycle.extent.is_small else _planned(cycle, following))
    _remember(cycle, following)
    left = following.due(cycle.seen, account.single_read_after)
    turn = left[: alone.MOST_PER_SWEEP]
    cycle.read_alone([row.uuid for row in turn])
    cycle.single_read_after = turn[-1].id if len(left) > len(turn) else 0
    following.note(cycle.read_at)
    cycle.shortage = shortage.of(cycle)
    cycle.live_part_short = cycle.short
    _settle(cycle)


def _rest_of_the_list(cycle: Cycle) -> list[Ask]:
    return [Ask(page, 1.0, 100) for page in range(2, (cycle.extent.pages or 1) + 1)]


def _planned(cycle: Cycle, following: Following) -> list[Ask]:
    """The pages on which new and due sessions should stand by now, and the due ones that stand alone, or on pages
    that failed of late: those are tried again each minute by `reconcile`, not by each sweep."""
    known, memory = cycle.extent, cycle.remember()
    newcomers.recognise(cycle)
    added = newcomers.added(cycle)
    memory.learn(cycle.pages, cycle.new, added, known)
    added = newcomers.expected(memory, added, cycle.started_at.timestamp())
    due = [row for row in following.due(cycle.seen, 0) if row.missing_since is None]
    todo = plan([row.uuid for row in due], memory.places, known, added=added, new_at=memory.new_at)
    standing: dict[int | None, list[alone.LiveRow]] = {}
    for row in due:
        standing.setdefault(page_of(memory.places.get(row.uuid), known, new_at=memory.new_at), []).append(row)
    bad = cycle.account.reconcile_missed
    pages = [_page(number, standing.get(number, []), following) for number in todo.pages if number not in bad]
    singly = {row.uuid for number in bad for row in standing.get(number, ())}.union(todo.alone)
    single = [Ask(row.uuid, following.urgency(row)) for row in due if row.uuid in singly]
    return in_order([*pages, *single])[: MOST_PAGES + alone.MOST_PER_SWEEP]


def _page(number: int, rows: list[alone.LiveRow], following: Following) -> Ask:
    """One that nobody known stands on was asked for because something was added."""
    return Ask(number, max((following.urgency(row) for row in rows), default=1.0), len(rows))


def _remember(cycle: Cycle, following: Following) -> None:
    """Where everybody stood; and whoever was added, and stood on none of these pages, is looked for otherwise."""
    if cycle.memory:
        newcomers.recognise(cycle)
        cycle.memory.learn(cycle.pages, cycle.new, newcomers.added(cycle), cycle.extent)
        cycle.read_alone(newcomers.unknown(cycle))
        places.keep(cycle.account.pk, cycle.memory, cycle.live.union(following.uuids()))


def _settle(cycle: Cycle) -> None:
    """What can wait best: last readings of the just ended, and whoever is missing from a list that was read whole."""
    cycle.purpose = "settle"
    ended = alone.settling(cycle.account, cycle.started_at)
    cycle.read_alone(ended)
    ages.note(
        cycle.account.pk,
        {uuid: cycle.read_at[uuid] for uuid in ended if uuid in cycle.read_at},
        alone.SETTLING,
    )
    if not cycle.live_part_short:
        cycle.purpose, cycle.short = "reconcile", None
        cycle.read_alone(reconcile.vanished(cycle))
