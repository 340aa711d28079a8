"""Which sessions of a bulk a stop is asked for, and what a bulk asks of its maker.  Pure."""

from sessions_app.types import FINAL_STATUSES, Status, Strategy

TYPED_ABOVE = 10
"""From more than that many on, the number is typed: a bulk of hundreds is not one stray click away."""


def why_not(strategy: str, status: str, *, is_gone: bool) -> str:
    """Why nothing is asked for, in words; "" when it is.  As last read: only a fresh read would decide."""
    if is_gone:
        return "gone upstream"
    if status in FINAL_STATUSES:
        return f"over already ({status.replace('_', ' ')})"
    if strategy == Strategy.TASK and status == Status.IDLE:
        return "no task runs: it is idle"
    return ""


def confirmation(sessions: int, *, everything: bool) -> str:
    """What has to be typed, "" when a press is enough."""
    if everything:
        return "stop everything"
    return str(sessions) if sessions > TYPED_ABOVE else ""
