"""A budget as one caller has it: admits requests, waits a little where that helps, and passes on what the vendor said."""

import time
from collections.abc import Sequence
from typing import Protocol

from .budget import RANKS, Budget, Purpose
from .errors import OverBudget, RateLimited, UpstreamError


class Meter(Protocol):
    """What a transport asks before and tells after."""

    def admit(self, wanted: int) -> int:
        """How many of these requests may leave now."""

    def heard(self, errors: Sequence[object], repeats: int) -> None:
        """What came of them, and how many had to be sent twice."""

    @property
    def retry_in_s(self) -> float:
        """When it is worth trying again what was not admitted."""


class Unmetered:
    """For those who have no account: every request leaves."""

    retry_in_s = 0.0

    def admit(self, wanted: int) -> int:
        return wanted

    def heard(self, errors: Sequence[object], repeats: int) -> None:
        """Nobody learns from it."""


class Metered:
    """The requests of one purpose.  A stop always leaves at once; it is counted when it is back."""

    def __init__(self, budget: Budget, purpose: Purpose) -> None:
        self._budget, self._purpose = budget, purpose
        self._unpaid = 0
        self._in_doubt = False
        self.retry_in_s = 0.0

    def admit(self, wanted: int) -> int:
        if self._purpose == "stop":
            self._unpaid += wanted
            return wanted
        until = time.monotonic() + RANKS[self._purpose].patience_s
        admitted = 0
        while True:
            grant = self._budget.take(wanted - admitted, self._purpose)
            admitted += grant.granted
            self.retry_in_s, self._in_doubt = grant.wait_s, grant.in_doubt
            if admitted == wanted or time.monotonic() + grant.wait_s > until:
                return admitted
            time.sleep(grant.wait_s)

    def heard(self, errors: Sequence[object], repeats: int) -> None:
        if count := self._unpaid + repeats:
            self._unpaid = 0
            self._budget.spend(count, self._purpose)
        if self._in_doubt and not all(isinstance(error, UpstreamError) for error in errors):
            self._in_doubt = False
            self._budget.accepted()
        limits = [error.retry_after_s for error in errors if isinstance(error, RateLimited)]
        if limits:
            said = [seconds for seconds in limits if seconds is not None]
            self._budget.refused(max(said) if said else None, len(limits))


def over_budget(meter: Meter) -> OverBudget:
    return OverBudget(meter.retry_in_s)
