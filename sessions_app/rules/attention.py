"""Which sessions need a person, why, and how urgently.  Pure rules over what is stored.

An entry is a small dict as it is stored: `{"code", "since" (ISO), …numbers}`; `words` makes the sentence.  One that
somebody has acknowledged or snoozed has `quiet: {"by", "at", "until"}` besides (`until` "" when for as long as it lasts):
it stays on the record and calls nobody.
Trust is everything: a list that cries wolf is not read.  So each rule waits until it is sure, and an entry
that stands goes only when its reason is clearly over.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from sessions_app.types import FINAL_STATUSES, Status

type Entry = dict[str, Any]

STALLED_AFTER = timedelta(minutes=2)
"""Longer than an agent thinks, waits for a page or runs code, as a rule."""
IDLE_PAID_AFTER = timedelta(minutes=10)
UNREAD_AFTER = timedelta(seconds=30)
WATCHED_FOR = timedelta(minutes=1)
"""Durations before the first look go by the vendor's clock, which may be an hour off: watch a while first."""
REPEATED_STEPS = (5, 10, 20, 50, 100, 200, 500, 1_000)
CAP_PERCENTS = (80, 95, 100)
"""Of `maxCostUsd`."""
TIMES_MEDIAN = (5, 10, 20, 50, 100)
"""Ordinary sessions of one model differ up to fourfold: in pace, and by what goes through a proxy."""
TIMES_MEDIAN_OF_ALL = 20
"""Models differ eightfold in price: without peers of its own model a session must stand out further."""
TO_STAY = 2 / 3
"""What stands goes only when it is clearly over."""
LEAST_BURN_MICROUSD_PER_MIN = 20_000
"""Two cents a minute: below that, many times the median is still nothing to wake somebody for."""
WARM_AFTER = timedelta(seconds=30)
"""The first steps of a task say little about its pace."""
PEERS_NEEDED = 3

RANKS = {"burning": 60, "repeating": 50, "near_cap": 40, "stalled": 30, "unread": 20, "idle_paid": 10}
CAP_ALMOST_SPENT, CAP_BONUS = 95, 30
"""A cap that is all but spent outranks everything."""
HOLD_WHILE: dict[str, str] = {
    "burning": Status.RUNNING,
    "repeating": Status.RUNNING,
    "stalled": Status.RUNNING,
    "idle_paid": Status.IDLE,
}
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
SNOOZES = {"15": "15 min", "60": "1 h", "240": "4 h"}
"""Minutes, as they are asked for, and in words."""


class Facts(NamedTuple):
    """What the rules look at.  Money in micro-dollars."""

    id: int
    model: str
    status: str
    step_repeats: int
    total_cost_microusd: int | None
    max_cost_microusd: int | None
    burn_microusd_per_min: int
    has_live_url: bool
    first_seen_at: datetime
    status_since: datetime
    progress_at: datetime
    unread_since: datetime | None


class Quiet(NamedTuple):
    """Who said that they know of it, when, and until when it is snoozed: None for as long as it lasts."""

    by: str
    at: datetime | None
    until: datetime | None


def assess(facts: Facts, medians: dict[str, int], standing: list[Entry], now: datetime) -> list[Entry]:
    """Why a live session needs attention, worst first.  `medians` by `median_burns`, `standing` as stored.

    What stands already keeps its `since`, and its numbers only rise: the same trouble is the same entry.  It stays
    quiet, too, unless it grew more urgent or was snoozed until now.
    """
    before = {entry["code"]: entry for entry in standing if isinstance(entry, dict) and "code" in entry}
    found = [
        _burning(facts, medians, before.get("burning"), now),
        _repeating(facts, before.get("repeating")),
        _near_cap(facts, now),
        _stalled(facts, now),
        _unread(facts, now),
        _idle_paid(facts, now),
    ]
    entries = [_again(entry, before.get(entry["code"], entry), now) for entry in found if entry]
    return sorted(entries, key=lambda entry: (is_quiet(entry), -RANKS[entry["code"]]))


def _again(entry: Entry, before: Entry, now: datetime) -> Entry:
    """The entry that is found now, with what is kept of the same one as it stood."""
    kept = {"since": before.get("since")}
    quiet = quiet_of(before)
    if quiet and _rank(entry) <= _rank(before) and (quiet.until is None or now < quiet.until):
        kept["quiet"] = before["quiet"]
    return entry | kept


def surviving(standing: list[Entry], status: str) -> list[Entry]:
    """The entries that can still be true of a session that has this status now."""
    if not standing or status in FINAL_STATUSES:
        return []
    return [
        e for e in standing if isinstance(e, dict) and HOLD_WHILE.get(e.get("code", ""), status) == status
    ]


def quieten(entries: list[Entry], by: str, now: datetime, until: datetime | None) -> list[Entry]:
    """Acknowledged by that person for as long as it lasts, or snoozed; whoever had done so before is replaced."""
    quiet = {"by": by, "at": now.isoformat(), "until": until.isoformat() if until else ""}
    return [entry | {"quiet": quiet} for entry in entries if isinstance(entry, dict)]


def speak_up(entries: list[Entry]) -> list[Entry]:
    """As if nobody had ever acknowledged any."""
    return [
        {key: entry[key] for key in entry if key != "quiet"} for entry in entries if isinstance(entry, dict)
    ]


def is_quiet(entry: Entry) -> bool:
    return isinstance(entry.get("quiet"), dict)


def quiet_of(entry: Entry) -> Quiet | None:
    """None when it calls for somebody."""
    if not is_quiet(entry):
        return None
    said = entry["quiet"]
    return Quiet(str(said.get("by", "")), _moment(said.get("at")), _moment(said.get("until")))


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def columns(entries: list[Entry]) -> dict[str, object]:
    """What is stored of them."""
    quiet = sum(map(is_quiet, entries))
    return {"attention": entries, "attention_rank": rank(entries), "attention_quiet": quiet}


def rank(entries: list[Entry]) -> int:
    """0 when all is well, or known to somebody; higher is worse."""
    return max((_rank(entry) for entry in entries if not is_quiet(entry)), default=0)


def _rank(entry: Entry) -> int:
    bonus = CAP_BONUS if entry.get("level", 0) >= CAP_ALMOST_SPENT else 0
    return RANKS.get(entry.get("code", ""), 0) + bonus


def median_burns(burns: Iterable[tuple[str, int]]) -> dict[str, int]:
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


def words(entry: Entry) -> str:
    """The reason as a sentence, without amounts: it is shown to those who may not see costs, too."""
    match entry.get("code"):
        case "burning":
            whom = "the others" if entry.get("of") == "all" else "others of its model"
            return f"Spends more than {entry.get('times', TIMES_MEDIAN[0])}× as fast as {whom}."
        case "repeating":
            return f"Took the same step {entry.get('steps', REPEATED_STEPS[0])} times or more in a row."
        case "near_cap":
            level = entry.get("level", CAP_PERCENTS[0])
            return "Has spent its whole cap." if level >= 100 else f"Has spent more than {level}% of its cap."
        case "stalled":
            return "Is running, but neither steps nor cost move."
        case "idle_paid":
            return "Has no task, but its browser is still open and paid for."
        case "unread":
            return "Reading it fails, so what is shown is old."
    return label(str(entry.get("code", "")))


def _burning(facts: Facts, medians: dict[str, int], standing: Entry | None, now: datetime) -> Entry | None:
    own = medians.get(facts.model) if facts.model else None
    usual = own or medians.get("")
    burn = facts.burn_microusd_per_min
    if not usual or facts.status != Status.RUNNING or burn < LEAST_BURN_MICROUSD_PER_MIN:
        return None
    enough: float = TIMES_MEDIAN[0] if own else TIMES_MEDIAN_OF_ALL
    times = burn / usual
    if standing:
        enough = enough * TO_STAY
    elif now - facts.status_since < WARM_AFTER:
        return None
    if times < enough:
        return None
    shown = max(_level(times, TIMES_MEDIAN) or TIMES_MEDIAN[0], standing.get("times", 0) if standing else 0)
    return _entry("burning", now, times=shown, of="model" if own else "all")


def _repeating(facts: Facts, standing: Entry | None) -> Entry | None:
    steps = _level(facts.step_repeats, REPEATED_STEPS)
    if facts.status != Status.RUNNING or not steps:
        return None
    return _entry("repeating", facts.progress_at, steps=max(steps, (standing or {}).get("steps", 0)))


def _near_cap(facts: Facts, now: datetime) -> Entry | None:
    cap, spent = facts.max_cost_microusd, facts.total_cost_microusd
    if not cap or cap < 0 or spent is None or spent < 0:
        return None
    level = _level(spent * 100 // cap, CAP_PERCENTS)
    return _entry("near_cap", now, level=level) if level else None


def _stalled(facts: Facts, now: datetime) -> Entry | None:
    watched = now - facts.first_seen_at >= WATCHED_FOR
    if facts.status != Status.RUNNING or not watched or now - facts.progress_at < STALLED_AFTER:
        return None
    return _entry("stalled", facts.progress_at)


def _unread(facts: Facts, now: datetime) -> Entry | None:
    if facts.unread_since is None or now - facts.unread_since < UNREAD_AFTER:
        return None
    return _entry("unread", facts.unread_since)


def _idle_paid(facts: Facts, now: datetime) -> Entry | None:
    paid = facts.has_live_url or facts.burn_microusd_per_min > 0
    watched = now - facts.first_seen_at >= WATCHED_FOR
    if facts.status != Status.IDLE or not paid or not watched or now - facts.status_since < IDLE_PAID_AFTER:
        return None
    return _entry("idle_paid", facts.status_since)


def _entry(code: str, since: datetime, **numbers: int | str) -> Entry:
    return {"code": code, "since": since.isoformat(), **numbers}


def _level(value: float, levels: Collection[int]) -> int | None:
    """The highest of `levels` that `value` has reached; numbers are kept coarse, so that rows keep still."""
    return max((level for level in levels if value >= level), default=None)
