"""The fast lane: sessions that somebody has open are read every second, those that were woken at once.

It has a tick and a worker of its own, so that no sweep holds it up, and reads each session by itself.  Requests for
what is open go before those of sweeps.  Those for what was woken do so only in part: a sweep reads a hundred sessions
at a time, and whom it has read since the word need not be read again.  An account that fails is left to the sweep,
which knows how to wait.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import redis
from django.db import connections
from django.utils import timezone

from sessions_app.live import wake, watching
from sessions_app.live.connection import client as redis_client
from sessions_app.live.wake import Woken
from sessions_app.models import Account, AgentSession
from sessions_app.polling import absence, ages, hold
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.types import Answer
from sessions_app.upstream.budget import Purpose
from sessions_app.upstream.errors import NotFound, OverBudget, PaymentRequired, RateLimited, Unauthorized

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 0.7
"""Counted from the beginning of a reading: with the way there and back it is never a second old."""
STAY_S = 4.0
"""Rounds go on until the next tick takes over, and for so long where it does not come: beat may be late, or away."""
TICK_MS = 250
"""Of ticks that come closer together only the first counts: what piled up while no worker was there is soon gone."""
PAUSE_S = 0.1
MOST_PER_ROUND = 16
"""Of one account, of those that are open and of those that were woken each."""
DEADLINE_S = 2.0
LOCK_MS = 10_000
"""Longer than a round of one account lasts."""
ACCOUNTS_AT_ONCE = 8
REST_S, LONG_REST_S = 5, 60
"""After a failure of any kind, and after one that only a person can end."""
ASKED_IN_VAIN = (OverBudget, RateLimited)


def read_until_the_next_tick() -> None:
    """Round after round, until another tick takes over: one that is late, or comes too early, costs nobody its turn."""
    until, turn = time.monotonic() + STAY_S, _turn()
    while turn:
        read_due()
        time.sleep(PAUSE_S)
        if time.monotonic() >= until or _newest() != turn:
            return


def _turn() -> int:
    """A number for this tick; 0 when it came in a heap, or Redis is away: without it nobody is known to be wanted."""
    try:
        came_alone = redis_client().set("watched:tick", 1, nx=True, px=TICK_MS)
        return int(redis_client().incr("watched:turn")) if came_alone else 0
    except (redis.RedisError, OSError):
        return 0


def _newest() -> int:
    """The number of the tick that took over last."""
    try:
        return int(redis_client().get("watched:turn") or 0)
    except (redis.RedisError, OSError):
        return 0


def read_due() -> int:
    """One round, for all accounts side by side.  Returns how many sessions were read."""
    try:
        wanted, woken = _wanted(), _woken()
    except (redis.RedisError, OSError):
        return 0  # nobody can be woken without it, and the sweep goes on
    accounts = Account.objects.filter(pk__in=wanted.keys() | woken.keys(), is_active=True, failing_since=None)
    return _side_by_side([(one, wanted.get(one.pk, []), woken.get(one.pk, [])) for one in accounts])


def _wanted() -> dict[int, list[UUID]]:
    """Living sessions that are open somewhere and were not read just now, by account.  Raises redis.RedisError."""
    open_now = AgentSession.objects.filter(pk__in=watching.opened(), is_live=True)
    by_account: dict[int, list[UUID]] = defaultdict(list)
    for account_pk, uuid in open_now.values_list("account_id", "uuid"):
        by_account[account_pk].append(uuid)
    return {pk: stale for pk, uuids in by_account.items() if (stale := _stale(pk, uuids))}


def _stale(account_pk: int, uuids: Iterable[UUID]) -> list[UUID]:
    """Those whose next reading is due, the oldest first."""
    read = ages.known(account_pk, uuids) or {}
    now = time.time()
    age = {uuid: now - read[uuid].timestamp() if uuid in read else 3600.0 for uuid in uuids}
    return sorted((uuid for uuid in age if age[uuid] >= AGAIN_AFTER_S), key=lambda uuid: -age[uuid])


def _woken() -> dict[int, list[Woken]]:
    """Whom nobody has read since the word, by account, the longest waiting first.  Raises redis.RedisError."""
    by_account: dict[int, list[Woken]] = defaultdict(list)
    for one in wake.waiting():
        by_account[one.account_pk].append(one)
    return {pk: unread for pk, woken in by_account.items() if (unread := _unread(pk, woken))}


def _unread(account_pk: int, woken: list[Woken]) -> list[Woken]:
    uuids = [one.uuid for one in woken]
    ended = AgentSession.objects.filter(account=account_pk, uuid__in=uuids, is_live=False)
    read = (ages.known(account_pk, uuids) or {}) | dict(ended.values_list("uuid", "observed_at"))
    done = {one for one in woken if one.uuid in read and read[one.uuid].timestamp() >= one.at}
    wake.read(list(done))
    return [one for one in woken if one not in done]


def _side_by_side(work: Sequence[tuple[Account, list[UUID], list[Woken]]]) -> int:
    if len(work) <= 1:
        return sum(_of_account(*one) for one in work)
    with ThreadPoolExecutor(min(ACCOUNTS_AT_ONCE, len(work)), "watched") as threads:
        return sum(threads.map(lambda one: _and_leave(*one), work))


def _and_leave(account: Account, uuids: list[UUID], woken: list[Woken]) -> int:
    """In a thread that gives its database connection back."""
    try:
        return _of_account(account, uuids, woken)
    finally:
        connections.close_all()


def _of_account(account: Account, uuids: list[UUID], woken: list[Woken]) -> int:
    """What is wanted of one account, unless somebody else is at it, or it rests.  Never raises."""
    lock = f"watched:lock:{account.pk}"
    try:
        if not hold.take(lock, LOCK_MS):
            return 0
        try:
            return _read(account, uuids[:MOST_PER_ROUND], woken[:MOST_PER_ROUND])
        finally:
            hold.give_back(lock)
    except (redis.RedisError, OSError):
        return 0
    except Exception:
        log.exception("account %s: the fast lane broke", account.slug)
        return 0


def _read(account: Account, opened: list[UUID], woken: list[Woken]) -> int:
    if redis_client().exists(_rest_key(account)):
        return 0
    asked_at = timezone.now()
    results = _ask(account, "watched", opened)
    if not any(
        map(_is_failure, results.values())
    ):  # else the others, whose round waits for this one, would wait twice
        results |= _ask(account, "woken", [one.uuid for one in woken if one.uuid not in results])
    answers = [one for one in results.values() if isinstance(one, Answer)]
    apply_answers(account, answers)
    ages.note(account.pk, {one.session.uuid: one.read_at for one in answers if not one.session.is_final})
    _note_failures(account, results, asked_at)
    told = {uuid for uuid, one in results.items() if isinstance(one, Answer | NotFound)}
    wake.read([one for one in woken if one.uuid in told])
    return len(answers)


def _ask(account: Account, purpose: Purpose, uuids: list[UUID]) -> dict[UUID, object]:
    if not uuids:
        return {}
    results = client_of(account, purpose).sessions(uuids, deadline_s=DEADLINE_S)
    return dict(zip(uuids, results, strict=True))


def _note_failures(account: Account, results: Mapping[UUID, object], asked_at: datetime) -> None:
    """404 proves nothing of the others; anything else, and the account rests here for a while."""
    missing = [uuid for uuid, one in results.items() if isinstance(one, NotFound)]
    absence.note_not_found(account, missing, asked_at)
    failed = {uuid: one for uuid, one in results.items() if _is_failure(one)}
    if failed:
        absence.note_unread(account, list(failed), asked_at)
        hopeless = any(isinstance(one, Unauthorized | PaymentRequired) for one in failed.values())
        redis_client().set(_rest_key(account), 1, ex=LONG_REST_S if hopeless else REST_S)


def _is_failure(result: object) -> bool:
    return isinstance(result, Exception) and not isinstance(result, (NotFound, *ASKED_IN_VAIN))


def _rest_key(account: Account) -> str:
    return f"watched:rest:{account.pk}"
