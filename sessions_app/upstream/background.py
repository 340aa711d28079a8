"""One event loop in one background thread per process, for sync callers in any number of threads.

Why: Celery's pool and Django's views are sync, but pages are best read four at a time over pooled
connections.  A loop per call would lose the pool, a client per thread would multiply the connections.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any

try:
    from uvloop import new_event_loop  # a tenth of a sweep's CPU less (`make bench ONLY=1`)
except ImportError:  # Windows
    from asyncio import new_event_loop  # type: ignore[assignment]


class BackgroundLoop:
    """Starts with the first call.  `state` belongs to the loop's thread: nobody else may touch it."""

    def __init__(self) -> None:
        self.state: dict[Any, Any] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run[T](self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `work()` on the loop and wait.  A caller that is interrupted takes its work along."""
        future = asyncio.run_coroutine_threadsafe(work(), self._started())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True).start()
            return self._loop


_current = BackgroundLoop()
_abandoned: list[BackgroundLoop] = []


def loop() -> BackgroundLoop:
    """This process's own."""
    return _current


def _after_fork() -> None:
    """A forked child has the loop but not its thread.  It starts afresh, and keeps the parent's loop
    unclosed: to close it would unregister the parent's sockets from the epoll that both share."""
    global _current
    _abandoned.append(_current)
    _current = BackgroundLoop()


os.register_at_fork(after_in_child=_after_fork)
