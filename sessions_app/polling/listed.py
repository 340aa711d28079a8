"""Which sessions a reading of the whole list showed, and who is therefore asked for singly.

A session that had ended and was then deleted is on no page and in nobody's turn: only its absence from a whole
reading tells.  Absence proves nothing (pages shift), so each suspect is read alone, a few per sweep.
A help, not a fact: it lives in the cache, one bit per session, and whatever is forgotten is found by the next reading.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache

from sessions_app.models import Account, AgentSession
from sessions_app.polling import lookup
from sessions_app.polling.absence import CONFIRMED_AFTER
from sessions_app.upstream.pages import SessionPage

KEPT_S = 24 * 3600
MOST_SUSPECTS = 1_000
ASK_AGAIN_AFTER = CONFIRMED_AFTER + timedelta(seconds=2)


def recall(account_id: int) -> bytearray | None:
    """The reading that is going on, so far; None when the cache forgot: then it will say nothing."""
    kept = cache.get(f"listed:{account_id}")
    return None if kept is None else bytearray(kept)


def keep(account_id: int, shown: bytearray | None) -> None:
    if shown is not None:
        cache.set(f"listed:{account_id}", bytes(shown), KEPT_S)


def add(shown: bytearray | None, pages: Iterable[SessionPage]) -> None:
    """These pages showed these sessions."""
    uuids = [item.uuid for page in pages for item in page.items]
    if shown is None or not uuids:
        return
    ids = lookup.ids(uuids).values()
    shown.extend(bytes(max(0, max(ids, default=0) // 8 + 1 - len(shown))))
    for number in ids:
        shown[number // 8] |= 1 << number % 8


def suspect(account: Account, shown: bytearray | None, began: datetime) -> None:
    """The reading is complete: whoever ended, was known before it began and was not shown is asked for from now on."""
    if shown is None:
        return
    known = AgentSession.objects.filter(account=account, is_live=False, gone_at=None, first_seen_at__lt=began)
    absent: list[int] = []
    for number in known.order_by("-pk").values_list("pk", flat=True).iterator(chunk_size=10_000):
        if not _has(shown, number):
            absent.append(number)
            if len(absent) == MOST_SUSPECTS:
                break
    uuids = AgentSession.objects.filter(pk__in=absent).order_by("-pk").values_list("uuid", flat=True)
    _keep_suspects(account.pk, dict.fromkeys(uuids, 0.0))


def to_ask(account_id: int, now: datetime, most: int) -> list[UUID]:
    """Some suspects whose turn it is.  Who answered 404 is asked again a minute later; all others are cleared."""
    suspects: dict[UUID, float] = cache.get(f"suspects:{account_id}") or {}
    due = [uuid for uuid, moment in suspects.items() if moment <= now.timestamp()]
    if not due:
        return []
    asked = [uuid for uuid in due if suspects[uuid]][:MOST_SUSPECTS]
    missing = AgentSession.objects.filter(uuid__in=asked, gone_at=None, missing_since__isnull=False)
    again = set(missing.values_list("uuid", flat=True))
    for uuid in asked:
        if uuid not in again:
            del suspects[uuid]
    turn = [uuid for uuid in due if uuid in suspects][:most]
    suspects |= dict.fromkeys(turn, (now + ASK_AGAIN_AFTER).timestamp())
    _keep_suspects(account_id, suspects)
    return turn


def _keep_suspects(account_id: int, suspects: dict[UUID, float]) -> None:
    cache.set(f"suspects:{account_id}", suspects, KEPT_S)


def _has(shown: bytearray, number: int) -> bool:
    return number // 8 < len(shown) and bool(shown[number // 8] >> number % 8 & 1)
