"""How old a session may get, what to read first, and what a budget that is too small makes of it.

Each kind of care has a target age, and a part in a shortage.  When there are not enough requests for all targets, all
are missed by one factor, only not alike: at factor 3 what runs may be three times as old, what rests five times, and
what somebody has open one and a half times (`age_at`).  The other way round, the factor at which a session would be
just in time tells how urgent it is (`urgency`).  So what is read first and what is promised come from one rule.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sessions_app.types import Status


class Care(StrEnum):
    """How closely a living session is followed."""

    OPENED = "opened"
    RUNNING = "running"
    RESTING = "resting"


TARGET_S: Mapping[Care, float] = {Care.OPENED: 1.0, Care.RUNNING: 3.0, Care.RESTING: 15.0}
YIELDS: Mapping[Care, float] = {Care.OPENED: 0.25, Care.RUNNING: 1.0, Care.RESTING: 2.0}
"""By how many targets its age grows when the factor grows by one."""
LARGEST_FACTOR = 10_000.0


def care_of(status: str) -> Care:
    """Of a living session that nobody has open.  One of an unknown status may well be at work."""
    return Care.RESTING if status in {Status.IDLE, Status.CREATED} else Care.RUNNING


def age_at(factor: float, care: Care) -> float:
    """Seconds that such a session may be old when all targets are missed by that factor (1: when none is)."""
    return TARGET_S[care] * (1 + (factor - 1) * YIELDS[care])


def urgency(care: Care, age_s: float) -> float:
    """The factor at which this age would be just in time: above 1 it is late, and the largest is read first."""
    return 1 + (age_s / TARGET_S[care] - 1) / YIELDS[care]


def is_due(care: Care, age_s: float, next_in_s: float) -> bool:
    """Whether it would be too old before the next chance to read it, in so many seconds."""
    return age_s + next_in_s > TARGET_S[care]


class Ask(NamedTuple):
    """A request that is worth making: a page by its number, or a session by its uuid, and whom it would refresh."""

    what: int | UUID
    urgency: float
    members: int = 1


def in_order(asks: Iterable[Ask]) -> list[Ask]:
    """The most urgent first; of equally urgent ones that which refreshes more, and then in a stable order."""
    return sorted(asks, key=lambda ask: (-ask.urgency, -ask.members, isinstance(ask.what, UUID), ask.what))


class Outlook(NamedTuple):
    """What to expect of a budget: requests a second that would keep all targets, those that there are, by what
    factor the targets are missed (1: not), and how old sessions of each kind will get, in seconds."""

    needed_per_s: float
    budget_per_s: float
    factor: float
    ages_s: dict[Care, float]

    @property
    def is_short(self) -> bool:
        return self.factor > 1


def outlook(requests: Mapping[Care, float], budget_per_s: float) -> Outlook:
    """`requests`: how many it takes to read all sessions of that care once; a page that shows several counts once,
    for the closest care on it."""
    budget_per_s = max(budget_per_s, 1e-9)
    needed = _per_second(requests, 1.0)
    factor = 1.0 if needed <= budget_per_s else _factor(requests, budget_per_s)
    return Outlook(needed, budget_per_s, factor, {care: age_at(factor, care) for care in requests})


def _per_second(requests: Mapping[Care, float], factor: float) -> float:
    return sum(count / age_at(factor, care) for care, count in requests.items())


def _factor(requests: Mapping[Care, float], budget_per_s: float) -> float:
    """The smallest with which the budget does, to a hundredth: the need falls as the factor rises."""
    low, high = 1.0, 2.0
    while _per_second(requests, high) > budget_per_s and high < LARGEST_FACTOR:
        low, high = high, high * 2
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (middle, high) if _per_second(requests, middle) > budget_per_s else (low, middle)
    return high
