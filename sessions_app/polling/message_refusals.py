"""What is remembered of readings that failed: of the session, or of the whole account when it is not the session's."""

import logging
from datetime import datetime, timedelta

from sessions_app.models import MessageAccess, MessageLog
from sessions_app.rules.messages import wait_after
from sessions_app.upstream.errors import (
    Conflict,
    Invalid,
    NotFound,
    RateLimited,
    UpstreamError,
)

AGAIN_S, REFUSED_S = 10.0, 60.0
"""The first pause of a session after a failure, and after it was not found; each further one is twice as long."""
ILL, CROWDED, LONGEST = timedelta(seconds=15), timedelta(seconds=30), timedelta(minutes=10)
NOT_OFFERED = timedelta(minutes=30)
NOT_OFFERED_AFTER = 5
"""Sessions not found in a row, and none found: then this upstream has no messages to give."""

log = logging.getLogger(__name__)


def note(access: MessageAccess, mark: MessageLog, error: UpstreamError, now: datetime) -> bool:
    """Whether the account's round may go on with another session."""
    if mark.cursor and isinstance(error, NotFound | Invalid):
        _forget_cursor(mark, now)
        return True
    first_s = REFUSED_S if isinstance(error, NotFound | Invalid) else AGAIN_S
    mark.failures = min(mark.failures + 1, 1_000)
    mark.due_at = now + wait_after(mark.failures, first_s)
    mark.error_kind, mark.error = error.kind, error.words
    mark.save(update_fields=["failures", "due_at", "error_kind", "error"])
    return _note_on_account(access, error, now)


def forget(access: MessageAccess) -> None:
    """A reading succeeded."""
    if access.refused or access.error_kind or access.paused_until:
        access.refused, access.paused_until, access.error_kind, access.error = 0, None, "", ""
        access.save(update_fields=["refused", "paused_until", "error_kind", "error"])


def _forget_cursor(mark: MessageLog, now: datetime) -> None:
    """Perhaps only the message is gone that we went on from: next time from the start; repeated ones do no harm."""
    mark.cursor, mark.is_whole, mark.due_at = "", False, now + timedelta(seconds=AGAIN_S)
    mark.save(update_fields=["cursor", "is_whole", "due_at"])


def _note_on_account(access: MessageAccess, error: UpstreamError, now: datetime) -> bool:
    if not _tells_of_the_account(error):
        return True
    again = access.error_kind == error.kind
    access.refused = min(access.refused + 1, 1_000) if again else 1
    access.error_kind, access.error = error.kind, error.words
    pause = _pause(access.refused, error)
    if pause:
        if access.paused_until is None:
            log.warning("messages of account %s: %s", access.account_id, error.words)
        access.paused_until = now + pause
    access.save(update_fields=["refused", "paused_until", "error_kind", "error"])
    return pause is None


def _tells_of_the_account(error: UpstreamError) -> bool:
    return not isinstance(error, Invalid | Conflict)


def _pause(times: int, error: UpstreamError) -> timedelta | None:
    """How long the account's messages are left alone, having failed alike so many times in a row; None: not at all."""
    if isinstance(error, RateLimited):
        return timedelta(seconds=error.retry_after_s) if error.retry_after_s else CROWDED
    if isinstance(error, NotFound):
        return NOT_OFFERED if times >= NOT_OFFERED_AFTER else None
    return min(ILL * 2 ** min(times - 1, 10), LONGEST)
