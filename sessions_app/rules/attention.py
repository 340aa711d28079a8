"""Which sessions need a person, why, and how urgently.  Pure rules over what is stored.

An entry is a small dict as it is stored: `{"code", "since" (ISO), …numbers}`; `words` makes the sentence.
"""

from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from sessions_app.types import Status

STALLED_AFTER = timedelta(minutes=3)
IDLE_PAID_AFTER = timedelta(minutes=10)
REPEATED_STEPS = 5
CAP_LEVELS = (100, 95, 80)
"""Percent of `maxCostUsd`."""
BURN_TIMES_MEDIAN = 3
LEAST_BURN_MICROUSD_PER_MIN = 20_000
"""Two cents a minute: below that, many times the median is still nothing to wake somebody for."""
PEERS_NEEDED = 3

RANKS = {"burning": 60, "repeating": 50, "near_cap": 40, "stalled": 30, "unread": 20, "idle_paid": 10}
LABELS = {
    "burning": "High spend",
    "repeating": "Looping",
    "near_cap": "Near its cap",
    "stalled": "Stalled",
    "unread": "Not readable",
    "idle_paid": "Idle, paid for",
}
ADVICE = {
    "burning": "Look at it; stop the task if it gets nowhere.",
    "repeating": "Stop the task: it repeats itself.",
    "near_cap": "It will be cut off at its cap: decide whether to let it.",
    "stalled": "Open it; if nothing moves, stop the task.",
    "unread": "Its state is not known: check it in the vendor's own console.",
    "idle_paid": "End the session if nobody needs its browser.",
}


class Facts(NamedTuple):
    """What the rules look at.  Money in micro-dollars."""

    id: int
    model: str
    status: str
    step_count: int
    step_repeats: int
    total_cost_microusd: int | None
    max_cost_microusd: int | None
    burn_microusd_per_min: int
    has_live_url: bool
    status_since: datetime
    progress_at: datetime
    unread_since: datetime | None


def assess(facts: Facts, medians: dict[str, int], now: datetime) -> list[dict[str, Any]]:
    """The reasons for which a live session needs attention, worst first.  `medians` by `median_burns`."""
    found = [
        entry
        for entry in (
            _burning(facts, medians),
            _repeating(facts),
            _near_cap(facts),
            _stalled(facts, now),
            _idle_paid(facts, now),
            {"code": "unread", "since": facts.unread_since.isoformat()} if facts.unread_since else None,
        )
        if entry
    ]
    return sorted(found, key=lambda entry: -RANKS[entry["code"]])


def rank(entries: list[dict[str, Any]]) -> int:
    """0 when all is well; higher is worse.  A cap that is all but spent outranks everything."""
    return max((RANKS[e["code"]] + (30 if e.get("level", 0) >= 95 else 0) for e in entries), default=0)


def carried(before: list[dict[str, Any]], now_found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`now_found`, with entries that stand already kept as they were: their `since`, their numbers."""
    standing = {(entry["code"], entry.get("level")): entry for entry in before if isinstance(entry, dict)}
    return [standing.get((entry["code"], entry.get("level")), entry) for entry in now_found]


def median_burns(burns: list[tuple[str, int]]) -> dict[str, int]:
    """Median $/min of each model's running sessions, from (model, burn); key `""` is all models together."""
    by_model: dict[str, list[int]] = {}
    for model, burn in burns:
        if burn > 0:
            by_model.setdefault(model, []).append(burn)
            by_model.setdefault("", []).append(burn)
    return {model: round(median(values)) for model, values in by_model.items() if len(values) >= PEERS_NEEDED}


def label(code: str) -> str:
    """Two or three words for a badge."""
    return LABELS.get(code, code.replace("_", " ").capitalize())


def words(entry: dict[str, Any]) -> str:
    """The reason as a sentence, without amounts: it is shown to those who may not see costs, too."""
    match entry.get("code"):
        case "burning":
            return f"Spends about {entry.get('times', BURN_TIMES_MEDIAN)}× as fast as others of its model."
        case "repeating":
            return f"Took the same step {entry.get('steps', REPEATED_STEPS)} times or more in a row."
        case "near_cap":
            level = entry.get("level", 80)
            return "Has spent its whole cap." if level >= 100 else f"Has spent more than {level}% of its cap."
        case "stalled":
            return "Is running, but neither steps nor cost move."
        case "idle_paid":
            return "Has no task, but its browser is still open and paid for."
        case "unread":
            return "Reading it fails, so what is shown is old."
    return label(str(entry.get("code", "")))


def _burning(facts: Facts, medians: dict[str, int]) -> dict[str, Any] | None:
    usual = medians.get(facts.model) or medians.get("")
    if not usual or facts.status != Status.RUNNING:
        return None
    times = facts.burn_microusd_per_min / usual
    if times < BURN_TIMES_MEDIAN or facts.burn_microusd_per_min < LEAST_BURN_MICROUSD_PER_MIN:
        return None
    return {"code": "burning", "since": facts.progress_at.isoformat(), "times": round(times)}


def _repeating(facts: Facts) -> dict[str, Any] | None:
    if facts.status != Status.RUNNING or facts.step_repeats < REPEATED_STEPS:
        return None
    return {"code": "repeating", "since": facts.progress_at.isoformat(), "steps": facts.step_repeats}


def _near_cap(facts: Facts) -> dict[str, Any] | None:
    cap, spent = facts.max_cost_microusd, facts.total_cost_microusd
    if not cap or cap < 0 or spent is None or spent < 0:
        return None
    level = next((level for level in CAP_LEVELS if spent * 100 >= level * cap), None)
    return {"code": "near_cap", "since": facts.progress_at.isoformat(), "level": level} if level else None


def _stalled(facts: Facts, now: datetime) -> dict[str, Any] | None:
    if facts.status != Status.RUNNING or now - facts.progress_at < STALLED_AFTER:
        return None
    return {"code": "stalled", "since": facts.progress_at.isoformat()}


def _idle_paid(facts: Facts, now: datetime) -> dict[str, Any] | None:
    idle = facts.status == Status.IDLE and now - facts.status_since >= IDLE_PAID_AFTER
    return (
        {"code": "idle_paid", "since": facts.status_since.isoformat()}
        if idle and facts.has_live_url
        else None
    )
