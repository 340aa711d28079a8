"""What a fresh answer means for what we know.  Pure: values and moments in, values out."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sessions_app.rules import attention
from sessions_app.rules.burn import first_burn, updated_burn
from sessions_app.rules.history import to_hour
from sessions_app.types import Oddity, SessionData, Status

HISTORY = (
    "step_count", "llm_cost_microusd", "proxy_cost_microusd", "browser_cost_microusd", "total_cost_microusd",
    "tokens_in", "tokens_out",
)  # fmt: skip
"""A change of one of these, or of the status, makes a snapshot."""
CLOCK_WAS_SET_BACK = timedelta(minutes=2)
"""An older `updatedAt` is a late answer; when it goes on for this long, the vendor's clock was set back."""


class Known(NamedTuple):
    """The part of a stored session that a fresh answer is compared with."""

    id: int
    digest: int
    version: int
    status: str
    last_step: str
    step_count: int
    llm_cost_microusd: int | None
    proxy_cost_microusd: int | None
    browser_cost_microusd: int | None
    total_cost_microusd: int | None
    tokens_in: int
    tokens_out: int
    proxy_used_bytes: int | None
    updated_at: datetime | None
    observed_at: datetime
    status_since: datetime
    progress_at: datetime
    step_repeats: int
    burn_microusd_per_min: int
    burn_at: datetime
    ended_at: datetime | None
    attention: list[dict[str, Any]]


class Spend(NamedTuple):
    """What was spent since the last answer, in micro-dollars, and the hour that it is booked to.

    `idle`: the part of the total that went while no task was under way, as far as two looks in a row saw none.
    """

    hour: int
    llm: int
    proxy: int
    browser: int
    total: int
    idle: int


class Change(NamedTuple):
    """What to write: columns of the session, and whether history gets a snapshot, a step, a booking."""

    columns: dict[str, object]
    snapshot: bool
    step: bool
    spend: Spend | None
    ended: bool


def is_late(known: Known, seen: SessionData, read_at: datetime) -> bool:
    """Whether an answer tells of an older moment than the one we know, and so must change nothing.

    Ordered by when our requests began; clocks of the vendor only break the tie of a stale replica.
    """
    if read_at <= known.observed_at:
        return True
    if seen.updated_at is None or known.updated_at is None:
        return False
    return seen.updated_at < known.updated_at and read_at - known.observed_at < CLOCK_WAS_SET_BACK


def first_sight(seen: SessionData, read_at: datetime) -> Change:
    """A session that we have never seen."""
    created_at = seen.created_at or read_at
    # It has had its status for a while; the vendor's `updatedAt` is the best that is known of since when.
    since = min(max(seen.updated_at or read_at, created_at), read_at)
    running = seen.status == Status.RUNNING
    columns = _facts(seen, None) | {
        "uuid": seen.uuid,
        "version": 1,
        "created_at": created_at,
        "first_seen_at": read_at,
        "observed_at": read_at,
        "changed_at": read_at,
        "status_since": since,
        "progress_at": since,
        "step_repeats": 1 if seen.last_step else 0,
        "burn_microusd_per_min": first_burn(seen.total_cost_microusd or 0, created_at, read_at)
        if running
        else 0,
        "burn_at": read_at,
        "is_live": not seen.is_final,
        "ended_at": since if seen.is_final else None,
        **attention.columns([]),
    }
    return Change(columns, True, bool(seen.last_step), _spend(seen, None, since), False)


def next_sight(known: Known, seen: SessionData, read_at: datetime) -> Change:
    """A session that we know, and whose answer differs from the last."""
    facts = _facts(seen, known)
    stands = attention.surviving(known.attention, seen.status)
    status_changed = facts["status"] != known.status
    said = (facts["last_step"], seen.step_count) != (known.last_step, known.step_count)
    spend = _spend(seen, known, read_at)
    columns = facts | {
        "version": known.version + 1,
        "observed_at": read_at,
        "changed_at": read_at,
        "status_since": read_at if status_changed else known.status_since,
        "progress_at": read_at if status_changed or _has_progressed(known, facts) else known.progress_at,
        "step_repeats": _repeats(known, str(facts["last_step"]), seen.step_count),
        "is_live": not seen.is_final,
        "ended_at": (known.ended_at or read_at) if seen.is_final else None,
        "missing_since": None,
        "gone_at": None,
        "unread_since": None,
        **attention.columns(stands),
        **_burn(known, seen, spend, read_at),
    }
    snapshot = status_changed or any(facts[name] != getattr(known, name) for name in HISTORY)
    return Change(
        columns, snapshot, said and bool(seen.last_step), spend, seen.is_final and not known.ended_at
    )


def _has_progressed(known: Known, facts: dict[str, Any]) -> bool:
    """Whether the agent did something.  A browser's rent rises while nothing happens, so it does not count."""
    work = (facts["total_cost_microusd"] or 0) - (facts["browser_cost_microusd"] or 0)
    before = (known.total_cost_microusd or 0) - (known.browser_cost_microusd or 0)
    return work != before or any(
        facts[name] != getattr(known, name) for name in ("step_count", "tokens_in", "tokens_out")
    )


def _visible(text: str) -> str:
    """Nothing, where nothing of it could be seen: a row needs a name that can be read, and pressed."""
    return text if any(char.isprintable() and not char.isspace() for char in text) else ""


def _facts(seen: SessionData, known: Known | None) -> dict[str, object]:
    """The vendor's facts as columns.  A cost that is missing or unreadable now keeps its last known value."""

    def kept(name: str) -> int | None:
        value = getattr(seen, name)
        return value if value is not None or known is None else getattr(known, name)

    return {
        "digest": seen.digest,
        "status": seen.status[:64],
        "model": seen.model[:128],
        "title": _visible((seen.title or "")[:500]),
        "last_step": (seen.last_step or "")[:1000],
        "step_count": seen.step_count,
        "is_task_successful": seen.is_task_successful,
        "profile_id": seen.profile_id,
        "workspace_id": seen.workspace_id,
        "proxy_country": (seen.proxy_country or "")[:64],
        "max_cost_microusd": seen.max_cost_microusd,
        "llm_cost_microusd": kept("llm_cost_microusd"),
        "proxy_cost_microusd": kept("proxy_cost_microusd"),
        "browser_cost_microusd": kept("browser_cost_microusd"),
        "total_cost_microusd": kept("total_cost_microusd"),
        "tokens_in": seen.tokens_in,
        "tokens_out": seen.tokens_out,
        "proxy_used_bytes": kept("proxy_used_bytes"),
        "has_live_url": bool(seen.live_url),
        "has_screenshot": bool(seen.screenshot_url),
        "updated_at": seen.updated_at,
        "oddities": [list(oddity) for oddity in (*seen.oddities, *_strange(seen, known))],
    }


def _strange(seen: SessionData, known: Known | None) -> list[Oddity]:
    """What no field shows by itself: it is odd only beside what we knew."""
    back = known is not None and known.ended_at is not None and not seen.is_final
    return _strange_money(seen, known) + ([Oddity("status", "had ended, and lives again")] if back else [])


def _strange_money(seen: SessionData, known: Known | None) -> list[Oddity]:
    """A running total that is negative, or that ran backwards: kept as it is, but said."""
    total = seen.total_cost_microusd
    if total is None:
        return []
    if total < 0:
        return [Oddity("totalCostUsd", "is negative")]
    before = known.total_cost_microusd if known else None
    return [Oddity("totalCostUsd", "has fallen")] if before is not None and total < before else []


def _repeats(known: Known, last_step: str, step_count: int) -> int:
    """How often in a row a further step was seen to say the same.  A new summary, or a new task, starts again.

    Steps that passed unseen between two looks don't count: they may have said something else.
    """
    if last_step != known.last_step or step_count < known.step_count:
        return 1 if last_step else 0
    if not last_step:
        return 0
    return min(known.step_repeats + (step_count > known.step_count), 1_000_000)


def _spend(seen: SessionData, known: Known | None, booked_at: datetime) -> Spend | None:
    """The rise of each total.  Nothing when nothing moved; a fall is a negative rise, so sums stay true."""

    def rise(name: str) -> int:
        value = getattr(seen, name)
        before = (getattr(known, name) if known else None) or 0
        return 0 if value is None else value - before

    rises = [rise(f"{kind}_cost_microusd") for kind in ("llm", "proxy", "browser", "total")]
    if not any(rises):
        return None
    llm, proxy, browser, total = rises
    idle = total if _was_idle(known, seen) else 0
    return Spend(to_hour(booked_at), llm, proxy, browser, total, idle)


def _was_idle(known: Known | None, seen: SessionData) -> bool:
    """Since the last look: it waited then, and waits still or has ended.  One that runs by now may have begun at once."""
    return known is not None and known.status == Status.IDLE and (seen.status == Status.IDLE or seen.is_final)


def _burn(known: Known, seen: SessionData, spend: Spend | None, read_at: datetime) -> dict[str, object]:
    if seen.is_final:
        return {"burn_microusd_per_min": 0, "burn_at": read_at}
    if known.status != Status.RUNNING and seen.status == Status.RUNNING:
        # A task has just begun: what the idle browser cost before says nothing about it.
        return {"burn_microusd_per_min": known.burn_microusd_per_min, "burn_at": read_at}
    spent = spend.total if spend else 0
    burn = updated_burn(known.burn_microusd_per_min, spent, known.burn_at, read_at, known.status_since)
    return {"burn_microusd_per_min": burn, "burn_at": read_at}
