"""Vendors that refuse, in time of our own: to see within a second what a budget makes of ten minutes of them."""

import math
from collections.abc import Callable

from sessions_app.upstream.budget import Budget, Purpose

type Serves = Callable[[float], bool]
"""Whether a request at that second is served, or refused."""

type Foretold = int | Callable[[float], int] | None
"""Retry-After: always the same, none, or as that second has it."""

STEP_S = 0.1
SWEEPS_APART_S = 1.8
MOST_WAITING = 20
"""What was not granted is wanted still, but nobody piles up more than this."""


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Limited:
    """A vendor with a token bucket, as most have it."""

    def __init__(self, rate: float, holds: float) -> None:
        self.rate, self.holds, self.tokens, self.at = rate, holds, holds, 0.0

    def serves(self, now: float) -> bool:
        self.tokens = min(self.holds, self.tokens + self.rate * (now - self.at))
        self.at, served = now, self.tokens >= 1
        self.tokens -= served
        return served


class Windowed:
    """A vendor that serves so many in each stretch of so many seconds, and says in Retry-After when it counts anew.

    Sliding: the stretch is the last one, whatever the clock says.
    """

    def __init__(self, count: int, seconds: int, *, slides: bool = False) -> None:
        self.count, self.seconds, self.slides = count, seconds, slides
        self.served: list[float] = []

    def serves(self, now: float) -> bool:
        began = now - self.seconds if self.slides else now - now % self.seconds
        self.served = [moment for moment in self.served if moment > began]
        if len(self.served) >= self.count:
            return False
        self.served.append(now)
        return True

    def retry_after(self, now: float) -> int:
        began = self.served[0] if self.slides else now - now % self.seconds
        return max(1, math.ceil(began + self.seconds - now))


def asked_against(
    budget: Budget, clock: Clock, serves: Serves, seconds: float, need: float, retry_after: Foretold = 1
) -> list[float]:
    """Somebody who wants `need` requests each tenth of a second, as `Metered` tells the budget of them.

    Returns the moments at which one was served.
    """
    served: list[float] = []
    wanted = 0.0
    for _ in range(round(seconds / STEP_S)):
        clock.now += STEP_S
        wanted = min(wanted + need, max(need, MOST_WAITING))
        answered = _ask(budget, clock.now, serves, int(wanted), "live", retry_after)
        wanted -= answered
        served += [clock.now] * answered
    return served


def swept_against(
    budget: Budget, clock: Clock, serves: Serves, seconds: float, pages: int, pictures_per_s: float
) -> tuple[list[float], int]:
    """A floor: sweeps of so many pages, one open session read four times a second, and pictures behind.

    Returns how old what runs had become each time when a sweep was through, and how many pictures there were.
    """
    ages, left, began, before, pictures = [], 0, 0.0, clock.now, 0
    waiting = {"watched": 0.0, "pictures": 0.0}
    for _ in range(round(seconds / STEP_S)):
        clock.now += STEP_S
        for purpose, per_s in (("watched", 4.0), ("pictures", pictures_per_s)):
            waiting[purpose] = min(waiting[purpose] + per_s * STEP_S, per_s)
        waiting["watched"] -= _ask(budget, clock.now, serves, int(waiting["watched"]), "watched", 1)
        if not left and clock.now - began >= SWEEPS_APART_S:
            left, began = pages, clock.now
        if left:
            left -= _ask(budget, clock.now, serves, left, "live", 1)
            if not left:
                ages.append(clock.now - before)
                before = began
        taken = _ask(budget, clock.now, serves, int(waiting["pictures"]), "pictures", 1)
        waiting["pictures"] -= taken
        pictures += taken
    return ages, pictures


def _ask(
    budget: Budget, now: float, serves: Serves, wanted: int, purpose: Purpose, retry_after: Foretold
) -> int:
    """How many of them were served."""
    if not wanted:
        return 0
    grant = budget.take(wanted, purpose)
    answers = [serves(now) for _ in range(grant.granted)]
    if grant.in_doubt and any(answers):
        budget.accepted()
    if not all(answers):
        budget.refused(retry_after(now) if callable(retry_after) else retry_after, answers.count(False))
    return sum(answers)
