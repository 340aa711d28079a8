"""What became of a session, as far as money is concerned: earned, wasted, or not decided yet.  Pure."""

from itertools import product
from typing import NamedTuple

from sessions_app.types import FINAL_STATUSES, KNOWN_STATUSES, Status


class Outcome(NamedTuple):
    """How people call it; `wasted` when what it cost bought no successful task."""

    key: str
    words: str
    wasted: bool = False


SUCCEEDED = Outcome("succeeded", "Succeeded")
FAILED = Outcome("failed", "Task failed", wasted=True)
ERRORED = Outcome("error", "Ended with an error", wasted=True)
TIMED_OUT = Outcome("timed_out", "Timed out", wasted=True)
STOPPED = Outcome("stopped", "Stopped before it succeeded", wasted=True)
UNDER_WAY = Outcome("under_way", "Under way")
GONE = Outcome("gone", "Deleted upstream, outcome unknown")
OTHER = Outcome("other", "Unknown status")

OUTCOMES = (SUCCEEDED, UNDER_WAY, FAILED, ERRORED, TIMED_OUT, STOPPED, GONE, OTHER)
_UNSUCCESSFUL = {Status.ERROR: ERRORED, Status.TIMED_OUT: TIMED_OUT, Status.STOPPED: STOPPED}


def outcome_of(status: str, is_task_successful: bool | None, is_live: bool) -> Outcome:
    """The outcome of a session.  The vendor judges its last task only; one that runs is not decided yet,
    whatever was said of the task before it."""
    if status in (Status.RUNNING, Status.CREATED):
        return UNDER_WAY if is_live else GONE
    if status not in KNOWN_STATUSES:
        return OTHER
    if is_task_successful is not None and status != Status.ERROR:
        return SUCCEEDED if is_task_successful else FAILED
    if status in FINAL_STATUSES:
        return _UNSUCCESSFUL[Status(status)]
    return UNDER_WAY if is_live else GONE


def looks_of(key: str) -> list[tuple[Status, bool | None, bool]]:
    """What sessions of this outcome look like: (status, `isTaskSuccessful`, whether it lives).  OTHER has none such:
    it is every status that nobody knows."""
    every = product(Status, (None, True, False), (True, False))
    return [look for look in every if outcome_of(*look).key == key]
