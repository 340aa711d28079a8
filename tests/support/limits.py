"""Vendors that refuse, in time of our own: to see within a second what a budget makes of ten minutes of them."""

from collections.abc import Callable

from sessions_app.upstream.budget import Budget

type Serves = Callable[[float], bool]
"""Whether a request at that second is served, or refused."""

STEP_S = 0.1


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


def asked_against(
    budget: Budget, clock: Clock, serves: Serves, seconds: float, need: int, retry_after: int | None = 1
) -> int:
    """Somebody who wants `need` requests each tenth of a second, as `Metered` tells the budget of them.  Returns those served."""
    served = 0
    for _ in range(round(seconds / STEP_S)):
        clock.now += STEP_S
        grant = budget.take(need, "live")
        answers = [serves(clock.now) for _ in range(grant.granted)]
        served += sum(answers)
        if grant.in_doubt and any(answers):
            budget.accepted()
        if not all(answers):
            budget.refused(retry_after, answers.count(False))
    return served
