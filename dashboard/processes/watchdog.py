"""Looks for a worker or a beat that lives but does nothing, and has the supervisor replace it."""

import asyncio
import time
from collections.abc import Mapping

import redis.asyncio as redis
from redis.exceptions import RedisError

from dashboard.processes import heartbeat
from dashboard.processes.child import Child

LOOK_EVERY_S = 10.0


async def watch(redis_url: str, children: Mapping[str, Child]) -> None:
    """Runs until cancelled.  A broker that doesn't answer is not the workers' fault: then it waits."""
    client = redis.from_url(redis_url, socket_timeout=3)
    answering_since: float | None = None
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            suspects = await _look(client)
        except (RedisError, OSError):
            answering_since = None
            continue
        answering_since = answering_since or time.monotonic()
        if time.monotonic() - answering_since > heartbeat.WEDGED_AFTER_S:
            await _replace(suspects, children)


async def _look(client: redis.Redis) -> frozenset[str]:
    times = await client.mget([heartbeat.key(queue) for queue in heartbeat.QUEUES])
    depths = {queue: await client.llen(queue) for queue in heartbeat.QUEUES}
    ages = {
        queue: time.time() - float(when) if when else None
        for queue, when in zip(heartbeat.QUEUES, times, strict=True)
    }
    return heartbeat.wedged(ages, depths)


async def _replace(suspects: frozenset[str], children: Mapping[str, Child]) -> None:
    for name in suspects & set(children):
        child = children[name]
        if child.up_for_s > heartbeat.WEDGED_AFTER_S:
            await child.restart(f"its canary has been silent for over {heartbeat.WEDGED_AFTER_S:g} s")
