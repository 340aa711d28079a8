"""What is kept of a session's messages, and when they are read again.  Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

KEPT_PER_SESSION = 1_000
TRIMMED_AT = 1_100
"""The oldest go when there are so many, down to KEPT_PER_SESSION: not one by one."""
LONGEST_TALK, LONGEST_STEP, LONGEST_SUMMARY, LONGEST_TASK = 4_000, 2_000, 500, 2_000
"""Characters kept: of what is said to people, of what a tool did, of its line, of the task on the session itself."""
TALK = frozenset({"user_message", "assistant_message", "completion"})
STEPS = frozenset({
    "browser_action", "browser_action_result", "browser_action_error", "file_operation", "code_execution",
    "integration", "planning",
})  # fmt: skip
"""What the agent does.  Whatever is in neither set is new to us, and shown as it is."""
PEOPLE = frozenset({"human", "user"})

SETTLES = timedelta(seconds=3)
"""A message may appear a little after the step that the session itself tells of."""
LONGEST_WAIT = timedelta(hours=6)


class Pace(NamedTuple):
    """`busy`: at most so often while it changes; `quiet`: also so often while nothing seems to happen."""

    busy: timedelta
    quiet: timedelta


OPENED = Pace(timedelta(seconds=2), timedelta(seconds=15))
ATTENTION = Pace(timedelta(seconds=15), timedelta(minutes=2))


def longest_of(kind: str) -> int:
    """Characters that are kept of such a message's text."""
    return LONGEST_STEP if is_step(kind) and not is_error(kind) else LONGEST_TALK


def is_error(kind: str) -> bool:
    """By the type alone: `browser_action_error`, and others that say so of themselves."""
    return "error" in kind.lower()


def is_step(kind: str) -> bool:
    return kind in STEPS


def is_of_a_person(kind: str, role: str) -> bool:
    """Whether somebody gives a task here.  `type` may be absent; then the role is all that tells."""
    return kind == "user_message" or (not kind and role.lower() in PEOPLE)


def is_due(
    pace: Pace, now: datetime, *, read_at: datetime | None, whole: bool, changed_at: datetime, live: bool
) -> bool:
    """Whether to look for new messages of a session, last looked for at `read_at`."""
    if read_at is None or not whole:
        return True
    age = now - read_at
    if changed_at + SETTLES >= read_at:
        return age >= pace.busy
    return live and age >= pace.quiet


def wait_after(nothings: int, first_s: float) -> timedelta:
    """How long to leave a session alone that gave nothing so many times in a row (from 1)."""
    return min(timedelta(seconds=first_s * 2 ** min(nothings - 1, 20)), LONGEST_WAIT)
