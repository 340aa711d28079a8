"""Which sessions somebody has open right now: their pages' streams say so every second, and it lapses by itself."""

import time
from collections.abc import Iterable

from sessions_app.live.connection import client

KEY = "watchfloor:watching"
LAPSES_AFTER_S = 5.0
MOST = 200
"""Opened at a time, over all.  More than that nobody looks at; the sweep reads them all the same."""


def note(session_pks: Iterable[int]) -> None:
    """Somebody has these open (our ids).  To be said again within a few seconds.  Raises redis.RedisError."""
    until = time.time() + LAPSES_AFTER_S
    if marks := {str(pk): until for pk in session_pks}:
        client().zadd(KEY, marks)


def opened() -> list[int]:
    """Our ids of the sessions that are open somewhere, the newest word first.  Raises redis.RedisError."""
    with client().pipeline(transaction=False) as pipeline:
        pipeline.zremrangebyscore(KEY, "-inf", time.time())
        pipeline.zrange(KEY, 0, MOST - 1, desc=True)
        _, found = pipeline.execute()
    return [int(pk) for pk in found]
