"""Threads in each web process that work off due stops.  They need no broker, no worker and no beat.

One looks each second what is due, and takes on as many hands as there are stops: each hand waits for the vendor
most of its time, and one that waits long must not hold up the others.  The timetable's task works as well; who
claims a stop first has it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connections
from django.utils import timezone

from sessions_app.stopping import bulk
from sessions_app.stopping.claim import count_due, take_from_the_dead
from sessions_app.stopping.work import work_due

log = logging.getLogger(__name__)
EVERY_S = 1.0
HANDS = 6
"""At once in one process.  Each holds a database connection: they must leave some for the pages."""


class Executor:
    """Starts once, runs until the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._hands: list[threading.Thread] = []

    def ensure_running(self) -> None:
        """Start the thread unless it runs.  Cheap, and safe from any thread."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="stops", daemon=True)
                self._thread.start()

    def nudge(self) -> None:
        """There is something to do now; without a running thread this does nothing."""
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._turn()
            self._wake.wait(EVERY_S)
            self._wake.clear()

    def _turn(self) -> None:
        with _connection():
            bulk.release(timezone.now())
            take_from_the_dead(timezone.now())
            self._hands = [hand for hand in self._hands if hand.is_alive()]
            for _ in range(count_due(timezone.now(), HANDS) - len(self._hands)):
                self._take_on()

    def _take_on(self) -> None:
        hand = threading.Thread(target=_work, name="stops, a hand", daemon=True)
        self._hands.append(hand)
        hand.start()


def _work() -> None:
    """What a hand does, until nothing is due."""
    with _connection():
        work_due()


@contextmanager
def _connection() -> Iterator[None]:
    """A fresh one, closed in the end.  Without a database nothing is lost: intentions are safe in it; look again."""
    close_old_connections()
    try:
        yield
    except Exception:
        log.exception("stops: this turn broke off")
    finally:
        connections.close_all()


_executor = Executor()
ensure_running = _executor.ensure_running
nudge = _executor.nudge
