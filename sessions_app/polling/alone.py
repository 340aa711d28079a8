"""Sessions that are read one by one: the living that no page showed, and the just ended, a few times."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sessions_app.models import Account, AgentSession
from sessions_app.polling import ages

MOST_PER_SWEEP = 60
SETTLES_AFTER_S = (5, 20, 60, 180, 600)
"""Costs settle and recordings appear after the end; nobody says how long after."""
SETTLED_AFTER = timedelta(seconds=SETTLES_AFTER_S[-1] + 120)
MOST_SETTLING = 16
MOST_ENDED = 1000
SETTLING = "settling"


class LiveRow(NamedTuple):
    """A session that is live as far as we know."""

    id: int
    uuid: UUID
    status: str
    missing_since: datetime | None
    unread_since: datetime | None

    @property
    def is_troubled(self) -> bool:
        """Shown with an age of its own, because upstream does not give it."""
        return bool(self.missing_since or self.unread_since)


def live_rows(account: Account) -> list[LiveRow]:
    """In the order of our ids."""
    rows = AgentSession.objects.filter(account=account, is_live=True).order_by("pk")
    return [LiveRow(*row) for row in rows.values_list(*LiveRow._fields)]


def settling(account: Account, now: datetime) -> list[UUID]:
    """Sessions that ended 5 s, 20 s, 1, 3 or 10 minutes ago and were not read by themselves since that moment.

    The longest overdue first, so that many that end at once all have their turn.
    """
    recent = AgentSession.objects.filter(
        account=account, gone_at=None, ended_at__gt=now - SETTLED_AFTER, ended_at__lte=now
    )
    ended = dict(recent.order_by("-ended_at").values_list("uuid", "ended_at")[:MOST_ENDED])
    moments = {uuid: moment for uuid, at in ended.items() if at and (moment := _last_moment(at, now))}
    read = ages.known(account.pk, moments, SETTLING)
    if read is None:  # Redis is away: what came due since the last sweep
        since = account.last_read_at or now
        waiting = [uuid for uuid, moment in moments.items() if moment > since]
    else:
        waiting = [uuid for uuid, moment in moments.items() if uuid not in read or read[uuid] < moment]
    return sorted(waiting, key=lambda uuid: moments[uuid])[:MOST_SETTLING]


def _last_moment(ended_at: datetime, now: datetime) -> datetime | None:
    """The last of the moments at which it should have been read again; None when the first is still to come."""
    passed = [wait for wait in SETTLES_AFTER_S if ended_at + timedelta(seconds=wait) <= now]
    return ended_at + timedelta(seconds=passed[-1]) if passed else None
