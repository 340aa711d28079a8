"""A read that breaks, or hangs, is asked once more at once: one bad answer in ten would else spoil every other sweep."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from .errors import BadReply, Disconnected, TooLarge

PATIENCE_S = 2.5
TIMES = 4
"""How much longer than usual a read may take before it counts as hanging: where all are slow, none is asked twice for it."""
_LEARNS = 0.1
_usual_s: dict[str, float] = {}
"""Of each place; on the loop's thread only."""


async def read[T](place: str, ask: Callable[[], Awaitable[T]], repeats: Callable[[], None]) -> T:
    """What `ask` brings from `place`, or else a second time; `repeats` is called before that.

    Of two that are under way the first answer counts, be it a refusal.  Raises what `ask` raises.
    """
    tries = {asyncio.create_task(_timed(place, ask))}
    try:
        done, _ = await asyncio.wait(tries, timeout=max(PATIENCE_S, TIMES * _usual_s.get(place, 0.0)))
        for first in done:
            if not _broke(first):
                return first.result()
            await asyncio.sleep(random.uniform(0.02, 0.1))
        repeats()
        tries.add(asyncio.create_task(_timed(place, ask)))
        return await _first_answer(tries)
    finally:
        for one in tries:
            one.cancel()


async def _first_answer[T](tries: set[asyncio.Task[T]]) -> T:
    waiting = {one for one in tries if not one.done()}
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        answered = [one for one in done if not _broke(one)]
        if answered or not waiting:
            return (answered or list(done))[0].result()


def _broke[T](one: asyncio.Task[T]) -> bool:
    error = one.exception()
    return isinstance(error, Disconnected | BadReply) and not isinstance(error, TooLarge)


async def _timed[T](place: str, ask: Callable[[], Awaitable[T]]) -> T:
    began = time.monotonic()
    answer = await ask()
    took, usual = time.monotonic() - began, _usual_s.get(place)
    _usual_s[place] = took if usual is None else usual + _LEARNS * (took - usual)
    return answer
