"""Whether the budget of an account is too small, and what that means for the age of its sessions, in numbers."""

import time
from collections import Counter
from typing import Any
from uuid import UUID

import redis

from sessions_app.live.connection import client
from sessions_app.polling.alone import LiveRow
from sessions_app.polling.cycle import Cycle
from sessions_app.rules.freshness import Care, Outlook, care_of, outlook
from sessions_app.rules.pages import page_of
from sessions_app.upstream.budget import key_of
from sessions_app.upstream.standing import Standing, standing

LATELY_S = 10.0
"""A budget that nobody found too small for so long is not too small, whatever the arithmetic says."""
WORTH_SAYING, WORTH_SAYING_S = 1.1, 5.0
"""A factor, and a pause, below these are within what a late tick does."""


def of(cycle: Cycle) -> dict[str, Any]:
    """For `Account.shortage`: empty, or {needed_per_s, budget_per_s, ages_s: {care: seconds}} and, when the vendor asked
    for a pause, {paused_until: seconds since 1970}."""
    budget = _standing(cycle.account.pk)
    if budget is None or not _is_tight(cycle, budget):
        return {}
    found = outlook(_requests(cycle), budget.rate_per_s)
    if found.factor < WORTH_SAYING and budget.blocked_for_s < WORTH_SAYING_S:
        return {}
    return _told(found, budget)


def _standing(account_pk: int) -> Standing | None:
    try:
        return standing(client(), key_of(account_pk))
    except (redis.RedisError, OSError):
        return None


def _is_tight(cycle: Cycle, budget: Standing) -> bool:
    if cycle.short or budget.blocked_for_s:
        return True
    was_refused = budget.ceiling_per_s is not None
    return was_refused and budget.short_ago_s is not None and budget.short_ago_s < LATELY_S


def _requests(cycle: Cycle) -> dict[Care, float]:
    """What it takes to read each kind once: a page counts once, for the closest care that it shows."""
    closest: dict[int | UUID, Care] = {1: Care.RUNNING}
    for row in cycle.following.rows:
        place, care = _place(cycle, row), care_of(row.status)
        if closest.get(place) != Care.RUNNING:
            closest[place] = care
    found = Counter(closest.values())
    found[Care.OPENED] = cycle.following.opened()
    return {care: float(count) for care, count in found.items() if count}


def _place(cycle: Cycle, row: LiveRow) -> int | UUID:
    """The page that it is read with, or itself when it is read alone."""
    for page in cycle.pages if cycle.memory is None else ():
        if any(item.uuid == row.uuid for item in page.items):
            return page.page
    if cycle.memory is None:
        return row.uuid
    place = cycle.memory.places.get(row.uuid)
    return page_of(place, cycle.extent, new_at=cycle.memory.new_at) or row.uuid


def _told(found: Outlook, budget: Standing) -> dict[str, Any]:
    return paused(budget.blocked_for_s) | {
        "needed_per_s": round(found.needed_per_s, 2),
        "budget_per_s": round(found.budget_per_s, 2),
        "ages_s": {str(care): round(age, 1) for care, age in found.ages_s.items()},
    }


def paused(seconds: float) -> dict[str, Any]:
    """The part about a pause; empty when it is too short to be worth a word."""
    return {"paused_until": round(time.time() + seconds, 1)} if seconds >= WORTH_SAYING_S else {}
