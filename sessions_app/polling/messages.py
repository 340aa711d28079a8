"""Reads messages: of sessions that somebody has open, of those that need attention, and of others their task.

A round sends few requests, under the lowest purpose of the account's budget.  Whoever refuses is remembered, and
left alone for a while.  Its worker is that of the fast lane, so that no picture holds up the log of a session that
somebody has open; few rounds go on at once, so that they do not hold up the fast lane either.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import redis
from django.db.models import Q
from django.utils import timezone

from sessions_app.live import watching
from sessions_app.models import Account, AgentSession, MessageAccess, MessageLog
from sessions_app.polling import hold, message_rows
from sessions_app.polling import message_refusals as refusals
from sessions_app.polling.clients import client_of
from sessions_app.polling.conversation import Asking
from sessions_app.rules.messages import ATTENTION, OPENED, Pace, is_due
from sessions_app.types import Status
from sessions_app.upstream.errors import OverBudget, UpstreamError

MOST_REQUESTS = 8
MOST_TASKS, MOST_ATTENTION = 2, 20
LONGEST_S, LONGEST_ROUND_S = 8.0, 15.0
"""For one account, and for all."""
AT_ONCE, PLACE_MS = 2, 30_000
"""Rounds side by side, in all workers, and for how long each has its place at most."""
LEASE = timedelta(seconds=30)
"""Longer than a round lasts: a killed worker's session is free again after it."""


class Wanted(NamedTuple):
    """A session to be read now.  `only_task`: nobody looks, so its messages are not kept."""

    session: AgentSession
    only_task: bool


def read_all_due() -> int:
    """A round for every account, unless enough others are at it.  Returns how many sessions were read."""
    with _place() as free:
        return _read_all() if free else 0


def _read_all() -> int:
    """The accounts in any order: where one takes long, another is the last next time."""
    until, count, opened = time.monotonic() + LONGEST_ROUND_S, 0, _opened()
    for account in Account.objects.filter(is_active=True).exclude(error_kind="unauthorized").order_by("?"):
        if time.monotonic() > until:
            break
        count += read_due(account, opened)
    return count


@contextmanager
def _place() -> Iterator[bool]:
    """Whether there is a place for one more round.  While Redis is away nobody counts."""
    keys = [f"messages:place:{number}" for number in range(AT_ONCE)]
    try:
        mine = next((key for key in keys if hold.take(key, PLACE_MS)), None)
    except (redis.RedisError, OSError):
        yield True
        return
    try:
        yield mine is not None
    finally:
        with suppress(redis.RedisError, OSError):
            if mine:
                hold.give_back(mine)


def read_due(account: Account, opened: Iterable[int] | None = None) -> int:
    """A round for one account.  `opened`: our ids of sessions that somebody has open; unless given, asked for."""
    access, _ = MessageAccess.objects.get_or_create(account=account)
    if access.paused_until and access.paused_until > timezone.now():
        return 0
    asking = Asking(client_of(account, "messages"), MOST_REQUESTS, access.begins)
    until, count = time.monotonic() + LONGEST_S, 0
    for one in _wanted(account, _opened() if opened is None else opened, timezone.now()):
        if not asking.left or time.monotonic() > until or not _read(one, asking, access):
            break
        count += 1
    if asking.begins != access.begins:
        MessageAccess.objects.filter(pk=access.pk).update(begins=asking.begins)
    return count


def _read(one: Wanted, asking: Asking, access: MessageAccess) -> bool:
    """Whether to go on with the next one."""
    now = timezone.now()
    mark = _claimed(one.session, now)
    if mark is None:
        return True
    try:
        _take_task(one, asking, now) if one.only_task else _take_log(one, mark, asking, now)
    except OverBudget:
        MessageLog.objects.filter(pk=mark.pk).update(due_at=None)
        return False
    except UpstreamError as error:
        return refusals.note(access, mark, error, timezone.now())
    refusals.forget(access)
    return True


def _take_task(one: Wanted, asking: Asking, now: datetime) -> None:
    message_rows.store_task(one.session, asking.head(one.session.uuid).messages, now)


def _take_log(one: Wanted, mark: MessageLog, asking: Asking, now: datetime) -> None:
    """On from the cursor, as far as the round's requests go; each page is stored before the next is asked for."""
    uuid = one.session.uuid
    found = asking.after(uuid, mark.cursor) if mark.cursor else asking.whole(uuid)
    while True:
        new = message_rows.store(one.session, mark, found.messages, now, more=found.more)
        if not (found.more and new and mark.cursor and asking.left):
            return
        found = asking.after(uuid, mark.cursor)


def _claimed(session: AgentSession, now: datetime) -> MessageLog | None:
    """The session's log, ours until the lease ends; None when somebody else was faster."""
    MessageLog.objects.bulk_create([MessageLog(session=session)], ignore_conflicts=True)
    free = Q(due_at=None) | Q(due_at__lte=now)
    if not MessageLog.objects.filter(free, pk=session.pk).update(due_at=now + LEASE):
        return None
    return MessageLog.objects.get(pk=session.pk)


# ---- who is wanted -----------------------------------------------------------------------------------


def _wanted(account: Account, opened: Iterable[int], now: datetime) -> Iterator[Wanted]:
    """The opened first, then those that need attention, then the newest living ones whose task nobody has read.

    Those that had ended before we looked may be a hundred thousand: their task is read when somebody opens them.
    """
    mine = AgentSession.objects.filter(account=account, gone_at=None).select_related("message_log")
    free = Q(message_log=None) | Q(message_log__due_at=None) | Q(message_log__due_at__lte=now)
    seen = set()
    for session in mine.filter(free, pk__in=list(opened)):
        seen.add(session.pk)
        if _is_due(session, OPENED, now):
            yield Wanted(session, only_task=False)
    troubled = mine.filter(free, is_live=True, attention_rank__gt=0).order_by(
        "-attention_rank", "-created_at"
    )
    for session in troubled[:MOST_ATTENTION]:
        if session.pk not in seen and _is_due(session, ATTENTION, now):
            seen.add(session.pk)
            yield Wanted(session, only_task=False)
    untold = (
        mine.filter(free, is_live=True, task_wanted=True)
        .exclude(status=Status.CREATED)
        .order_by("-created_at")
    )
    for session in untold[:MOST_TASKS]:
        if session.pk not in seen:
            yield Wanted(session, only_task=True)


def _is_due(session: AgentSession, pace: Pace, now: datetime) -> bool:
    mark = getattr(session, "message_log", None)
    return is_due(
        pace,
        now,
        read_at=mark.read_at if mark else None,
        whole=bool(mark and mark.is_whole),
        changed_at=session.observed_at,
        live=session.is_live,
    )


def _opened() -> list[int]:
    try:
        return watching.opened()
    except (redis.RedisError, OSError):
        return []  # while Redis is away nobody knows who looks at what
