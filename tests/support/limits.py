"""Vendors that refuse, in time of our own: to see within a second what a budget makes of ten minutes of them."""

import math
import random
from collections.abc import Callable
from typing import NamedTuple

from sessions_app.upstream.budget import Budget, Grant, Purpose

type Serves = Callable[[float], bool]
"""Whether a request at that second is served, or refused."""

type Foretold = int | Callable[[float], int] | None
"""Retry-After: always the same, none, or as that second has it."""

STEP_S = 0.1
SMALL_STEP_S, OPEN_AGAIN_S = 0.05, 0.7
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


class Ages(NamedTuple):
    """In seconds, each time when it was read again; and how many pictures there were besides."""

    pages: list[float]
    opened: list[float]
    pictures: int


def swept_against(
    budget: Budget,
    clock: Clock,
    serves: Serves,
    seconds: float,
    pages: int,
    opened: int,
    pictures_per_s: float,
) -> Ages:
    """A floor: sweeps of so many pages, sessions that somebody has open, and pictures, none before the others."""
    floor = _Floor(budget, clock, serves, pages, opened, pictures_per_s)
    acts = [floor.look, floor.sweep, floor.picture]
    for _ in range(round(seconds / SMALL_STEP_S)):
        clock.now += SMALL_STEP_S
        random.shuffle(acts)
        for act in acts:
            act()
    floor.page_ages += [clock.now - read for read in floor.page_read]  # of whom nobody ever read, too
    floor.open_ages += [clock.now - read for read in floor.open_read]
    return Ages(floor.page_ages, floor.open_ages, floor.pictures)


class _Told:
    """A budget that remembers for how long it last told somebody to wait."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self.wait_s = budget, 0.0
        self.accepted, self.refused = budget.accepted, budget.refused

    def take(self, wanted: int, purpose: Purpose) -> Grant:
        grant = self._budget.take(wanted, purpose)
        self.wait_s = grant.wait_s
        return grant


class _Floor:
    def __init__(
        self, budget: Budget, clock: Clock, serves: Serves, pages: int, opened: int, pictures_per_s: float
    ) -> None:
        self.budget, self.clock, self.serves, self.pictures_per_s = (
            _Told(budget),
            clock,
            serves,
            pictures_per_s,
        )
        self.page_read, self.open_read = [clock.now] * pages, [clock.now] * opened
        self.page_ages: list[float] = []
        self.open_ages: list[float] = []
        self.pictures, self.wanted = 0, 0.0
        self.began, self.at, self.waits_until = 0.0, pages, 0.0

    def ask(self, wanted: int, purpose: Purpose) -> int:
        return _ask(self.budget, self.clock.now, self.serves, wanted, purpose, 1)

    def look(self) -> None:
        """Each that is open when it is due, the oldest first."""
        now, read = self.clock.now, self.open_read
        due = sorted((n for n in range(len(read)) if now - read[n] >= OPEN_AGAIN_S), key=lambda n: read[n])
        for number in due[: self.ask(len(due), "watched")]:
            self.open_ages.append(now - read[number])
            read[number] = now

    def sweep(self) -> None:
        """All pages, one after the other, as far as the budget goes; then again.  It waits for as long as it is told."""
        now, read = self.clock.now, self.page_read
        if self.at == len(read) and now - self.began >= SWEEPS_APART_S:
            self.began, self.at = now, 0
        if now < self.waits_until:
            return
        got = self.ask(len(read) - self.at, "live")
        self.waits_until = now + self.budget.wait_s
        for _ in range(got):
            self.page_ages.append(now - read[self.at])
            read[self.at] = now
            self.at += 1

    def picture(self) -> None:
        self.wanted = min(self.wanted + self.pictures_per_s * SMALL_STEP_S, self.pictures_per_s)
        got = self.ask(int(self.wanted), "pictures")
        self.wanted -= got
        self.pictures += got


def _ask(
    budget: "Budget | _Told", now: float, serves: Serves, wanted: int, purpose: Purpose, retry_after: Foretold
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
