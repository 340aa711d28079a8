"""How the machinery behind the pages does: the broker, its queues, and the canary of each."""

import time
from typing import NamedTuple

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard.processes import heartbeat
from dashboard.processes.programs import WORKERS

TIMEOUT_S = 2.0


class Queue(NamedTuple):
    """`waiting`: messages nobody has taken yet.  `canary_age_s`: since its worker's last sign of life, None
    before the first one, or for a queue that shares its worker's canary."""

    name: str
    program: str
    waiting: int
    canary_age_s: float | None
    has_canary: bool

    @property
    def is_silent(self) -> bool:
        return self.has_canary and (self.canary_age_s is None or self.canary_age_s > heartbeat.WEDGED_AFTER_S)


class Machinery(NamedTuple):
    """`error` is in words, and empty when the broker answers."""

    error: str
    took_ms: float
    queues: tuple[Queue, ...]


def machinery() -> Machinery:
    """Asks the broker, for at most TIMEOUT_S.  Never raises."""
    began = time.monotonic()
    try:
        with _client() as client:
            queues = _queues(client)
    except (redis.RedisError, OSError) as error:
        return Machinery(type(error).__name__, _since(began), ())
    return Machinery("", _since(began), queues)


def _queues(client: redis.Redis) -> tuple[Queue, ...]:
    with client.pipeline(transaction=False) as pipeline:
        for queue in WORKERS:
            pipeline.llen(queue)
        pipeline.mget([heartbeat.key(queue) for queue in WORKERS])
        *depths, canaries = pipeline.execute()
    return tuple(
        Queue(
            name,
            program,
            depth,
            max(0.0, time.time() - float(canary)) if canary else None,
            name in heartbeat.QUEUES,
        )
        for (name, program), depth, canary in zip(WORKERS.items(), depths, canaries, strict=True)
    )


def _client() -> redis.Redis:
    """A connection of its own: a pooled one might be to a server that is gone, and this is about the present one."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
