"""Sessions that no page showed are read one by one: the live ones in turn, the just ended ones a few times."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from sessions_app.models import Account, AgentSession
from sessions_app.polling.absence import CONFIRMED_AFTER

MOST_PER_SWEEP = 40
SETTLES_AFTER_S = (5, 20, 60, 180, 600)
"""Costs settle and recordings appear after the end; nobody says how long after."""
MOST_SETTLING = 16


class LiveRow(NamedTuple):
    """A session that is live as far as we know."""

    id: int
    uuid: UUID
    missing_since: datetime | None


def live_rows(account: Account) -> list[LiveRow]:
    """In the order of our ids."""
    rows = AgentSession.objects.filter(account=account, is_live=True).order_by("pk")
    return [LiveRow(*row) for row in rows.values_list("pk", "uuid", "missing_since")]


def in_turn(
    rows: Sequence[LiveRow], seen: Collection[UUID], after: int, now: datetime
) -> tuple[list[UUID], int]:
    """Whom to read alone now, and where to go on next time: the round begins again behind the last.

    One that was missing is not asked for again before the second 404 would count.
    """
    waiting = [
        row
        for row in rows
        if row.uuid not in seen and not (row.missing_since and now - row.missing_since < CONFIRMED_AFTER)
    ]
    if len(waiting) <= MOST_PER_SWEEP:
        return [row.uuid for row in waiting], 0
    behind = [row for row in waiting if row.id > after]
    turn = (behind + waiting)[:MOST_PER_SWEEP]
    return [row.uuid for row in turn], turn[-1].id


def settling(account: Account, since: datetime | None, now: datetime) -> list[UUID]:
    """Sessions that ended 5 s, 20 s, 1, 3 or 10 minutes ago: those whose moment came after `since`, the last sweep."""
    if since is None:
        return []
    moments = (timedelta(seconds=seconds) for seconds in SETTLES_AFTER_S)
    windows = [Q(ended_at__gt=since - wait, ended_at__lte=now - wait) for wait in moments]
    ended = AgentSession.objects.filter(reduce(or_, windows), account=account, gone_at=None)
    return list(ended.order_by("-ended_at").values_list("uuid", flat=True)[:MOST_SETTLING])
