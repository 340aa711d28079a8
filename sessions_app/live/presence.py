"""Who has a session's page open right now, and who had it lately: open pages say so every second.

By session a sorted set of user ids, scored by the moment (Unix seconds) at which each was last there.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from sessions_app.live.connection import client

LAPSES_AFTER_S = 8.0
"""A page that is fetched every five seconds, because its stream does not open, counts as open."""
LATELY_S = 45.0
"""Whoever has been away for longer does not hold the wheel any more."""
MOST = 50
"""People of one session that are told apart."""


class Presence(NamedTuple):
    """User ids of those who have the page open, and of those who had it lately (these included)."""

    here: frozenset[int]
    lately: frozenset[int]


def note(pairs: Iterable[tuple[int, int]]) -> None:
    """These sessions (our ids) are open at these people (user ids).  Raises redis.RedisError."""
    now = time.time()
    with client().pipeline(transaction=False) as pipeline:
        for session_pk, user_pk in pairs:
            pipeline.zadd(_key(session_pk), {str(user_pk): now})
            pipeline.expire(_key(session_pk), int(LATELY_S))
        pipeline.execute()


def of_all(session_pks: Iterable[int]) -> dict[int, Presence]:
    """For each of these sessions who is there.  Raises redis.RedisError."""
    pks = list(session_pks)
    with client().pipeline(transaction=False) as pipeline:
        for pk in pks:
            pipeline.zrange(_key(pk), 0, MOST - 1, desc=True, withscores=True)
        found = pipeline.execute()
    now = time.time()
    return {pk: _presence(entries, now) for pk, entries in zip(pks, found, strict=True)}


def of(session_pk: int) -> Presence:
    """Raises redis.RedisError."""
    return of_all([session_pk])[session_pk]


def _presence(entries: list[tuple[bytes, float]], now: float) -> Presence:
    within = {
        seconds: frozenset(int(user) for user, at in entries if now - at < seconds)
        for seconds in (LAPSES_AFTER_S, LATELY_S)
    }
    return Presence(within[LAPSES_AFTER_S], within[LATELY_S])


def _key(session_pk: int) -> str:
    return f"watchfloor:present:{session_pk}"
