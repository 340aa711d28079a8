"""A read that breaks or hangs is asked again at once: one bad answer in ten would else spoil every other sweep."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from .errors import BadReply, Disconnected, TooLarge

TRIES, TRIES_OF_BROKEN = 3, 2
PATIENCE_S, TIMES = 1.2, 4
"""A read hangs when it takes longer than that, and than so many times the usual: where all are slow, none is repeated."""
_LEARNS = 0.3
_usual_s: dict[str, float] = {}
"""Of each place; on the loop's thread only."""


async def read[T](place: str, ask: Callable[[], Awaitable[T]], repeats: Callable[[], None]) -> T:
    """What `ask` brings from `place`; `repeats` is called before each further try.

    Of several that are under way the first answer counts, be it a refusal.  Raises what `ask` raises.
    """
    tries: list[asyncio.Task[T]] = []
    try:
        while True:
            tries.append(asyncio.create_task(_timed(place, ask)))
            tries[-1].add_done_callback(_notice)
            answer = await _answer(tries, None if len(tries) == TRIES else _patience_s(place))
            if answer:
                return answer.result()
            repeats()
    finally:
        for one in tries:
            one.cancel()


async def _answer[T](tries: list[asyncio.Task[T]], patience_s: float | None) -> asyncio.Task[T] | None:
    """The first try with an answer, or that broke when there may be no other; None when it is time for another."""
    waiting = {one for one in tries if not one.done()}
    while waiting:
        done, waiting = await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if answered := next((one for one in done if not _broke(one)), None):
            return answered
        broken = next(iter(done), None)
        if broken is None:
            return None
        if len(tries) < TRIES_OF_BROKEN:
            await asyncio.sleep(random.uniform(0.02, 0.1))
            return None
        if not waiting:
            return broken
    return None


def _notice[T](one: asyncio.Task[T]) -> None:
    """Whose answer came second failed unheard, and Python would complain of it."""
    if not one.cancelled():
        one.exception()


def _patience_s(place: str) -> float:
    return max(PATIENCE_S, TIMES * _usual_s.get(place, 0.0))


def _broke[T](one: asyncio.Task[T]) -> bool:
    error = one.exception()
    return isinstance(error, Disconnected | BadReply) and not isinstance(error, TooLarge)


async def _timed[T](place: str, ask: Callable[[], Awaitable[T]]) -> T:
    began = time.monotonic()
    answer = await ask()
    took, usual = time.monotonic() - began, _usual_s.get(place)
    _usual_s[place] = took if usual is None else usual + _LEARNS * (took - usual)
    return answer
