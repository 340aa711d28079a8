"""Says what changed, on one Redis channel, so that open screens hear of it at once.

A lost message is only late: the hub asks the database every few seconds what it did not hear of.
So a publish may fail, and never makes its caller wait or fail.
"""

import logging
import time
from collections.abc import Sequence
from functools import partial

import msgspec
import redis
from django.db import transaction

from sessions_app.live.connection import client

CHANNEL = "watchfloor:live"
PEOPLE = "watchfloor:people"
PAUSE_S = 2.0  # after a failure nobody else waits for so long

log = logging.getLogger(__name__)


class Message(msgspec.Struct, array_like=True):
    """What travels on the channel.  No ids: the account was read again, and nothing else changed."""

    account_id: int
    session_ids: list[int]
    new_ids: list[int]


class _Circuit:
    """Open after a failure: until then nobody tries."""

    open_until = 0.0


def changed(account_id: int, session_ids: Sequence[int], *, new: Sequence[int] = ()) -> None:
    """Rows of these sessions (our ids) changed; `new` were never seen before.  Never raises, waits ≤ 1 s."""
    if session_ids or new:
        _tell(Message(account_id, list(session_ids), list(new)))


def swept(account_id: int) -> None:
    """The account was read: figures and their age changed, whatever the rows did.  Never raises."""
    _tell(Message(account_id, [], []))


def people_changed() -> None:
    """Somebody signed out, was shut out, or may do other things than before.  Never raises, waits ≤ 1 s."""
    _publish(b"", PEOPLE)


def changed_on_commit(account_id: int, session_ids: Sequence[int], *, new: Sequence[int] = ()) -> None:
    """`changed`, once the open transaction is committed (at once when there is none)."""
    transaction.on_commit(partial(changed, account_id, list(session_ids), new=list(new)), robust=True)


def _tell(message: Message) -> None:
    _publish(msgspec.json.encode(message), CHANNEL)


def _publish(message: bytes, channel: str) -> None:
    if time.monotonic() < _Circuit.open_until:
        return
    try:
        client().publish(channel, message)
    except (redis.RedisError, OSError) as error:
        _Circuit.open_until = time.monotonic() + PAUSE_S
        log.warning(
            "live push: cannot publish (%s); screens learn of it a few seconds later", type(error).__name__
        )
