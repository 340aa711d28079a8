"""How often one account may be asked, shared by all workers through Redis, and learned: nobody documents the limit.

It starts generous and doubles for every second that somebody needed more, until the vendor first says 429.  A 429
lowers it to less than the vendor bore of late, with jitter, and pauses everybody for as long as `Retry-After` says; then it rises again
by a twentieth of the rate that was refused for every second of need, and only creeps once it is near that.  Not every 429 tells of
a limit: one that answers the first request after a pause only makes the pause longer, and where asking for much less is
refused as often as asking for more, the rate goes up again.  And one that refuses bursts is asked more evenly.

Right of way: a stop is never refused and never waits.  The others leave something in the bucket for those above them,
and all but the uppermost have a small share that the upper ones cannot take.
"""

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import redis

log = logging.getLogger(__name__)

Purpose = Literal["stop", "watched", "live", "woken", "settle", "reconcile", "facts", "messages", "pictures"]
"""What a request is for, the highest first."""


def key_of(account_pk: int) -> str:
    """Where the account's budget stands in Redis."""
    return f"budget:{account_pk}"


class Rank(NamedTuple):
    """`reserve`: part of the bucket that is left to those above; below zero what may be borrowed from the next second.
    `share`: part of the rate that is one's own."""

    reserve: float
    share: float
    patience_s: float
    """How long a caller may be held up for the next request."""


RANKS: dict[str, Rank] = {
    "stop": Rank(0, 0, 0),
    "watched": Rank(-0.25, 0, 0.4),
    "live": Rank(0.25, 0.2, 5.0),
    "woken": Rank(0.3, 0.2, 0.4),
    "settle": Rank(0.35, 0.05, 0.2),
    "reconcile": Rank(0.5, 0.1, 0.5),
    "facts": Rank(0.6, 0.05, 2.0),
    "messages": Rank(0.6, 0.05, 0.5),
    "pictures": Rank(0.7, 0.05, 0.5),
}
SCRIPT = Path(__file__).with_name("budget.lua").read_text()
WITHOUT_REDIS_PER_S = 3.0
"""What each process allows itself while Redis is away, unless it knows better: a share of what was learned."""
PART_WITHOUT_REDIS = 0.3
REDIS_PAUSE_S = 2.0
"""After a failure of Redis nobody waits for it again for so long."""


class Grant(NamedTuple):
    """How many of the requests may leave, and in how many seconds the next could (0 when all may).

    `in_doubt`: nobody knows whether the vendor answers again since it last refused; who hears of it says so.
    """

    granted: int
    wait_s: float
    in_doubt: bool = False


class Budget:
    """One account's.  Thread-safe; every call is one atomic step in Redis."""

    def __init__(self, client: redis.Redis, key: str, clock: Callable[[], float] | None = None) -> None:
        """`clock`: seconds since 1970, instead of Redis' own."""
        self._redis, self._key, self._clock = client, key, clock
        self._script = client.register_script(SCRIPT)
        self._local = _Local()
        self._alone_until = 0.0

    def take(self, wanted: int, purpose: Purpose) -> Grant:
        """Ask for so many requests.  With Redis down, of what this process allows itself."""
        rank = RANKS[purpose]
        told = self._tell("take", purpose, wanted, rank.reserve, rank.share)
        if told is None:
            return self._local.take(wanted)
        self._local.remember(self._redis, self._key)
        return Grant(int(told[0]), float(told[1]), told[2] == 1)

    def spend(self, count: int, purpose: Purpose) -> None:
        """These leave or have left, whatever the budget says."""
        if self._tell("spend", purpose, count) is None:
            self._local.spend(count)

    def accepted(self) -> None:
        """The vendor answered somebody whose grant was in doubt."""
        self._tell("accepted")

    def refused(self, retry_after_s: float | None, count: int = 1) -> None:
        """The vendor said 429 so many times; `retry_after_s` (held to 1..300 by whoever read it) None when not for how long."""
        pause = -1.0 if retry_after_s is None else retry_after_s
        self._local.refused(retry_after_s)
        self._tell("refused", pause, random.random(), count)

    def _tell(self, *words: str | float) -> list[bytes] | None:
        if time.monotonic() < self._alone_until:
            return None
        try:
            now = self._clock() if self._clock else ""
            return self._script(keys=[self._key], args=[now, *words])
        except (redis.RedisError, OSError) as error:
            self._alone_until = time.monotonic() + REDIS_PAUSE_S
            log.warning("budget: Redis is away (%s), going on by guess", type(error).__name__)
            return None


class _Local:
    """A plain bucket in this process for the time without Redis."""

    def __init__(self) -> None:
        self.rate = WITHOUT_REDIS_PER_S
        self._tokens, self._at, self._blocked_until = 2 * self.rate, time.monotonic(), 0.0
        self._asked_at = -1e9

    def take(self, wanted: int) -> Grant:
        now = time.monotonic()
        self._fill(now)
        if now < self._blocked_until:
            return Grant(0, self._blocked_until - now)
        granted = max(0, min(wanted, int(self._tokens)))
        self._tokens -= granted
        return Grant(granted, 0.0 if granted == wanted else max(0.02, (1 - self._tokens) / self.rate))

    def spend(self, count: int) -> None:
        self._fill(time.monotonic())
        self._tokens = max(self._tokens - count, -2 * self.rate)

    def refused(self, retry_after_s: float | None) -> None:
        self._blocked_until = max(self._blocked_until, time.monotonic() + (retry_after_s or 1.0))

    def remember(self, client: redis.Redis, key: str) -> None:
        """What was learned, now and then, while Redis can be asked."""
        now = time.monotonic()
        if now - self._asked_at < 10:
            return
        self._asked_at = now
        try:
            rate = client.hget(key, "rate")
        except (redis.RedisError, OSError):
            return
        self.rate = min(WITHOUT_REDIS_PER_S, float(rate) * PART_WITHOUT_REDIS) if rate else self.rate

    def _fill(self, now: float) -> None:
        self._tokens = min(max(2.0, 2 * self.rate), self._tokens + self.rate * (now - self._at))
        self._at = now
