"""When a stop is sent, sent again, proven, and given up.  Pure: values and moments in, values out.

The vendor promises nothing about repeating a stop.  Ending a session converges, so it may be sent again.  A
stop-task that is sent again could hit the next task, so it is sent again only while the task is provably the
one of the click.  What upstream answers to the POST proves nothing: two later reads do.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sessions_app.types import FINAL_STATUSES, Status, Strategy

LEASE = timedelta(seconds=30)
"""How long one worker has a stop to itself; longer than the longest POST may take."""
LONGEST = timedelta(minutes=10)
"""After that a stop fails loudly, and a person decides."""
READS_APART = timedelta(seconds=5)
RESEND_AFTER = timedelta(seconds=20)
"""An accepted stop may take that long to show before it is sent again."""
RESEND_UNKNOWN_AFTER = timedelta(seconds=3)
"""After a POST without a clear answer: time for an effect that is on its way."""
MOST_SENDS = 6
LONGEST_WAIT_S = 20.0
"""Of a stop that upstream asks us to send later: it is more urgent than any reading."""
ESCALATE_AFTER = timedelta(seconds=60)
"""A task that goes on that long after its stop was asked for is not going to stop by itself."""
CLOCK_SLACK = timedelta(seconds=5)
LATE_AFTER = timedelta(seconds=20)


class State(StrEnum):
    """As in `models.stop.StopState`, which has the labels."""

    REQUESTED = "requested"
    SENDING = "sending"
    VERIFYING = "verifying"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    MOOT = "moot"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({State.REQUESTED, State.SENDING, State.VERIFYING, State.UNKNOWN})


class Outcome(StrEnum):
    """What came of one POST.  The first two may have taken effect, the others certainly have not."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    LATER = "rate_limited"
    REFUSED = "refused"


MAY_HAVE_ARRIVED = frozenset({Outcome.ACCEPTED, Outcome.UNKNOWN})


class Stop(NamedTuple):
    """The part of a stop that decides.  `sent_at`, `sends`: of POSTs that may have arrived; `tries`: of all.

    `task` is the id of the task's user_message at the first send, "" when it could not be read; `known_at`
    the session's `updatedAt` (the vendor's clock) as the screen had it at the click.
    """

    strategy: str
    state: str
    requested_at: datetime
    sent_at: datetime | None = None
    sends: int = 0
    tries: int = 0
    accepted: bool = False
    task: str = ""
    known_at: datetime | None = None
    satisfied_at: datetime | None = None


class Reading(NamedTuple):
    """The session as just read.  `task`, `task_at`: its newest user_message, "" and None when not read."""

    read_at: datetime
    status: str
    gone: bool = False
    task: str = ""
    task_at: datetime | None = None


class Next(NamedTuple):
    """What becomes of the stop, and when it wants to be looked at again."""

    state: State
    due_at: datetime
    satisfied_at: datetime | None = None


def is_over(stop: Stop, now: datetime) -> bool:
    return now - stop.requested_at >= LONGEST


def satisfied(stop: Stop, reading: Reading) -> bool:
    """Whether what was asked for is so.  `created` and statuses that we don't know never satisfy."""
    if reading.gone or reading.status in FINAL_STATUSES:
        return True
    if stop.strategy == Strategy.SESSION:
        return False
    return reading.status == Status.IDLE or _is_another(stop.task, reading.task)


def after_reading(stop: Stop, reading: Reading, now: datetime) -> Next:
    """A fresh read: proof, half a proof, or a reason to send (again)."""
    if reading.read_at < (stop.sent_at or stop.requested_at):  # begun too early: it says nothing
        return Next(_resting(stop), now + _pause(stop, now), stop.satisfied_at)
    if satisfied(stop, reading):
        return _after_proof(stop, reading)
    if is_over(stop, now):
        return Next(State.FAILED, now)
    if stop.sends == 0 and is_too_late(stop, reading, now):
        return Next(State.CANCELLED, now)
    if may_send(stop, reading, now):
        return Next(State.REQUESTED, now)
    return Next(_resting(stop), now + _pause(stop, now))


def after_no_reading(stop: Stop, now: datetime) -> Next:
    """The read failed: a first send does not wait for it, everything else does."""
    if is_over(stop, now):
        return Next(State.FAILED, now)
    if stop.sends == 0:
        return Next(State.REQUESTED, now)
    return Next(_resting(stop), now + _pause(stop, now), stop.satisfied_at)


def may_send(stop: Stop, reading: Reading, now: datetime) -> bool:
    """Whether a POST may leave now, given what was just read (and found not satisfying)."""
    if stop.sends == 0:
        return True
    if stop.sends >= MOST_SENDS or not _is_time_to_send_again(stop, now):
        return False
    if stop.strategy == Strategy.SESSION:
        return True
    return reading.status == Status.RUNNING and bool(stop.task) and reading.task == stop.task


def should_escalate(stop: Stop, reading: Reading, now: datetime) -> bool:
    """Whether ending the session is next, for somebody who asked for that beforehand.

    Only while the very task of the click is seen to go on: of another one nobody said that it may be ended.
    """
    if stop.strategy != Strategy.TASK or stop.sent_at is None or now - stop.requested_at < ESCALATE_AFTER:
        return False
    is_same = bool(stop.task) and reading.task == stop.task and not reading.gone
    return is_same and reading.read_at >= stop.sent_at and reading.status == Status.RUNNING


def is_too_late(stop: Stop, reading: Reading, now: datetime) -> bool:
    """A stop-task that could not leave for a while, and the running task is newer than what the screen showed at
    the click: it would hit a task that nobody meant.  Both moments are of the vendor's clock."""
    if stop.strategy != Strategy.TASK or reading.task_at is None or stop.known_at is None:
        return False
    return now - stop.requested_at > LATE_AFTER and reading.task_at > stop.known_at + CLOCK_SLACK


def after_sending(stop: Stop, outcome: Outcome, now: datetime, retry_after_s: float | None = None) -> Next:
    """The POST was answered, or not.  `stop` as it was before that POST."""
    match outcome:
        case Outcome.ACCEPTED:
            return Next(State.VERIFYING, now + timedelta(seconds=0.5))
        case Outcome.UNKNOWN:
            return Next(State.UNKNOWN, now + timedelta(seconds=0.5))
        case Outcome.REFUSED if stop.sends:
            # An earlier one may have arrived: "refused" could be untrue, so what we read decides.
            return Next(State.UNKNOWN, now + timedelta(seconds=1))
        case Outcome.REFUSED:
            return Next(State.REJECTED, now)
    wait_s = _backoff_s(stop.tries) if retry_after_s is None else min(retry_after_s, LONGEST_WAIT_S)
    return Next(State.REQUESTED, now + timedelta(seconds=wait_s))


def _after_proof(stop: Stop, reading: Reading) -> Next:
    if stop.sends == 0:
        return Next(State.MOOT, reading.read_at, reading.read_at)
    first = stop.satisfied_at
    if first is not None and stop.sent_at is not None and first >= stop.sent_at:
        if reading.read_at - first >= READS_APART:
            return Next(State.CONFIRMED, reading.read_at, first)
    else:
        first = reading.read_at
    return Next(_resting(stop), first + READS_APART, first)


def _resting(stop: Stop) -> State:
    """The state in which a stop waits for the next read."""
    if stop.sends == 0:
        return State.REQUESTED
    if stop.state in (State.VERIFYING, State.UNKNOWN):
        return State(stop.state)
    return State.VERIFYING if stop.accepted else State.UNKNOWN


def _is_another(task: str, now_running: str) -> bool:
    return bool(task) and bool(now_running) and task != now_running


def _is_time_to_send_again(stop: Stop, now: datetime) -> bool:
    wait = RESEND_AFTER if _resting(stop) == State.VERIFYING else RESEND_UNKNOWN_AFTER
    return stop.sent_at is not None and now - stop.sent_at >= wait


def _pause(stop: Stop, now: datetime) -> timedelta:
    """Until the next read: a stop shows within seconds, or it takes long."""
    age = now - (stop.sent_at or stop.requested_at)
    if age < timedelta(seconds=15):
        return timedelta(seconds=1)
    return timedelta(seconds=2 if age < timedelta(minutes=2) else 5)


def _backoff_s(tries: int) -> float:
    return min(15.0, float(2 ** min(tries, 4)))
