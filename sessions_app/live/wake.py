"""Sessions of which somebody said that something happened: the fast lane reads them at once (`polling.watched`).

The word itself is not believed, it only wakes the reading.  A session stays on the list until a reading that began
after the word; one that nobody reads within `KEPT_S` is left to the sweep.
"""

import time
from typing import NamedTuple
from uuid import UUID

from sessions_app.live.connection import client

KEY = "watchfloor:wake"
KEPT_S = 120.0
_DONE = """
for i = 1, #ARGV, 2 do
  local said = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if said and tonumber(said) <= tonumber(ARGV[i + 1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
"""


class Woken(NamedTuple):
    """`at`: when it was last woken, in seconds since 1970, by the clock of whoever did it."""

    account_pk: int
    uuid: UUID
    at: float


def session(account_pk: int, uuid: UUID) -> None:
    """Have it read within a second.  Idempotent.  Raises redis.RedisError: then the caller must be told again."""
    client().zadd(KEY, {_member(account_pk, uuid): time.time()})


def waiting(most: int = 500) -> list[Woken]:
    """Who waits, the longest first.  Raises redis.RedisError."""
    with client().pipeline(transaction=False) as pipeline:
        pipeline.zremrangebyscore(KEY, "-inf", time.time() - KEPT_S)
        pipeline.zrange(KEY, 0, most - 1, withscores=True)
        _, found = pipeline.execute()
    return [_woken(member, at) for member, at in found]


def read(woken: list[Woken]) -> None:
    """They were read, by requests that began after their `at`: who was woken again since then stays.

    Raises redis.RedisError.
    """
    if woken:
        arguments = [part for one in woken for part in (_member(one.account_pk, one.uuid), repr(one.at))]
        client().eval(_DONE, 1, KEY, *arguments)


def _member(account_pk: int, uuid: UUID) -> str:
    return f"{account_pk}:{uuid.hex}"


def _woken(member: bytes, at: float) -> Woken:
    account, _, uuid = member.decode().partition(":")
    return Woken(int(account), UUID(uuid), at)
