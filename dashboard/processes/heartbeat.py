"""The canary of each queue: beat sends a task every 5 s, whoever runs it leaves the time in Redis.

Only an end-to-end sign of life is worth something: workers have been seen that answer `inspect ping` and
consume nothing (celery #8030, #8091), and beats that live and send nothing (celery #9622, #10477).
"""

from collections.abc import Mapping

from dashboard.processes.programs import BEAT, WORKERS

#: RedBeat's keys.  Its lock is what keeps a second beat standing by.
BEAT_PREFIX = "watchfloor:beat:"
BEAT_LOCK = f"{BEAT_PREFIX}:lock"

EVERY_S = 5
#: Older is wedged.  Longer than a task may last (60 s): a slow sweep must not look like a wedge.
WEDGED_AFTER_S = 75.0
#: The queues that have a canary: one per worker.
QUEUES = ("poll", "watched", "default")


def key(queue: str) -> str:
    """Where the time (seconds since the epoch) of the queue's last canary stands."""
    return f"watchfloor:canary:{queue}"


def wedged(ages_s: Mapping[str, float | None], depths: Mapping[str, int]) -> frozenset[str]:
    """Which programs to restart.  `ages_s`: seconds since each queue's canary, None where there never was
    one; `depths`: messages that wait in each queue.

    All silent and nothing waits: nobody sends, it is the beat.  Otherwise it's whoever serves the silent queue.
    """
    known = {queue: age for queue, age in ages_s.items() if age is not None}
    silent = {queue for queue, age in known.items() if age > WEDGED_AFTER_S}
    if silent and silent == set(known) and not any(depths.get(queue) for queue in known):
        return frozenset({BEAT})
    return frozenset(WORKERS[queue] for queue in silent)
