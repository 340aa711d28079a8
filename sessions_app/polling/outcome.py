"""What a sweep leaves on its account: how fresh it is, or why not, and when it is due again."""

import logging
from datetime import datetime, timedelta
from typing import Any

from sessions_app.polling import reconcile, schedule, shortage
from sessions_app.polling.cycle import Cycle
from sessions_app.rules import cadence
from sessions_app.rules.freshness import Care
from sessions_app.upstream.errors import OverBudget, RateLimited, UpstreamError

log = logging.getLogger(__name__)

INTERNAL = "internal"
MOST_SET_ASIDE, LONGEST_RAW = 50, 500


def so_far(cycle: Cycle) -> None:
    """The live part went well; more is being read."""
    schedule.note(cycle.account, **_learned(cycle))


def done(cycle: Cycle) -> None:
    """All went well."""
    cycle.went_well = True
    schedule.release(cycle.account, _next(cycle), **_learned(cycle), **cycle.reconciled)


def postponed(cycle: Cycle, error: OverBudget) -> None:
    """Not even page 1 could be asked for: nothing was learned, and nobody is told otherwise."""
    account = cycle.account
    told = {"shortage": account.shortage | shortage.paused(error.retry_in_s)}
    schedule.release(account, cycle.now() + cadence.after_shortage(error.retry_in_s), **told)


def failed(cycle: Cycle, error: UpstreamError) -> None:
    """Upstream did not answer, or refused.  What had been read by then stays; the age of the rest shows."""
    retry_after_s = getattr(error, "retry_after_s", None)
    told = {"shortage": cycle.account.shortage | shortage.paused(retry_after_s or 0)} if retry_after_s else {}
    _record(cycle, error.kind, error.words, retry_after_s, **told)


def broke(cycle: Cycle, error: Exception) -> None:
    """We failed ourselves."""
    _record(
        cycle,
        INTERNAL,
        f"Watchfloor itself failed ({type(error).__name__}). The worker's log says more.",
        None,
    )


def _learned(cycle: Cycle) -> dict[str, Any]:
    return {
        "last_read_at": cycle.following.since(Care.RUNNING, cycle.started_at),
        "resting_read_at": cycle.following.since(Care.RESTING, cycle.started_at),
        "shortage": cycle.shortage,
        "failing_since": None,
        "failures": 0,
        "error_kind": "",
        "error": "",
        **(_found(cycle) if cycle.live_part_short else _counted(cycle)),
        "set_aside": _set_aside(cycle),
        "single_read_after": cycle.single_read_after,
        **cycle.bad_page_columns,
        **reconcile.columns(cycle),
    }


def _record(cycle: Cycle, kind: str, words: str, retry_after_s: float | None, **told: object) -> None:
    account, now = cycle.account, cycle.now()
    failures = account.failures + 1
    if failures == 1:
        log.warning("account %s: %s", account.slug, words)
    schedule.release(
        account,
        now + cadence.after_failure(failures, kind, retry_after_s, partly=bool(cycle.pages)),
        failing_since=account.failing_since or now,
        failures=failures,
        error_kind=kind,
        error=words,
        **_found(cycle),
        **told,
    )


def _next(cycle: Cycle) -> datetime:
    """Counted from the start, so that a slow upstream does not make us slower still; but never at once."""
    unfinished = cycle.reconciled.get("reconcile_page", 1) != 1
    pause = cadence.after_success(len(cycle.following.rows) + len(cycle.live), unfinished=unfinished)
    if short := cycle.live_part_short:
        pause = max(pause, cadence.after_shortage(_retry_in_s(short)))
    return max(cycle.started_at + pause, cycle.now() + timedelta(milliseconds=200))


def _retry_in_s(short: OverBudget | RateLimited) -> float:
    return short.retry_in_s if isinstance(short, OverBudget) else short.retry_after_s or 0.0


def _set_aside(cycle: Cycle) -> list[dict[str, str]]:
    """Of a small account what this sweep found; of a large one also what earlier ones found elsewhere."""
    found = {
        one.uuid_text: {
            "uuid": one.uuid_text,
            "error": one.error,
            "raw": one.raw[:LONGEST_RAW].decode("utf-8", "replace"),
        }
        for one in cycle.set_aside
    }
    if not cycle.extent.is_small or cycle.live_part_short:
        seen = {str(uuid) for uuid in cycle.seen}
        kept = (one for one in cycle.account.set_aside if one.get("uuid") not in seen)
        found = {one["uuid"]: one for one in kept} | found
    return list(found.values())[-MOST_SET_ASIDE:]


def _counted(cycle: Cycle) -> dict[str, Any]:
    """All that is new was found: so long is the list, as page 1 had it."""
    return {"sessions_upstream": _fits(cycle.extent.total), "counted_at": cycle.pages[0].read_at}


def _found(cycle: Cycle) -> dict[str, Any]:
    """How long the list was when we last knew all of it, and whom we found since.  While new ones may stand on pages
    that were not read, what is missing to `total` tells how many to look for; who is found is not looked for again."""
    then, total = cycle.account.sessions_upstream, cycle.extent.total
    if then is None or total is None or not cycle.pages:
        return {}
    found = _fits(min(total, then + len(cycle.new)))
    return {"sessions_upstream": found, "counted_at": max(page.read_at for page in cycle.pages)}


def _fits(total: int | None) -> int | None:
    return None if total is None else min(total, 2**31 - 1)
