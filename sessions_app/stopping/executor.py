"""A thread in each web process that works off due stops.  It needs no broker, no worker and no beat.

The timetable's task does the same; who claims a stop first has it.
"""

import logging
import threading

from django.db import close_old_connections, connections

from sessions_app.stopping.work import work_due

log = logging.getLogger(__name__)
EVERY_S = 1.0


class Executor:
    """Starts once, runs until the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

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
        close_old_connections()
        try:
            work_due()
        except Exception:  # the database is away: the intentions are safe in it, so wait and look again
            log.exception("stops: this turn broke off")
            connections.close_all()
        finally:
            close_old_connections()


_executor = Executor()
ensure_running = _executor.ensure_running
nudge = _executor.nudge
