"""Who drives a session's browser, and who has its page open."""

from datetime import datetime, timedelta
from typing import NamedTuple

import redis
from django.contrib.auth.models import User

from sessions_app.live import presence
from sessions_app.models import AgentSession, AuditEntry

from .timeline import CONTROL_ACTS, TAKEN

DRIVES_AT_MOST = timedelta(hours=1)
"""Where nobody can say who has the page open: after that long nobody is said to drive."""
TAKES_ITS_SEAT = timedelta(seconds=15)
"""Until a page that has just been opened is known to be open."""


class Driver(NamedTuple):
    """Who has taken control and not given it back."""

    user_id: int | None
    name: str
    since: datetime


def driver_of(session: AgentSession, now: datetime) -> Driver | None:
    """Who drives the browser now, by the audit trail; nobody once the session has ended, or their page is closed."""
    if not session.is_live:
        return None
    acts = AuditEntry.objects.filter(session=session, action__in=CONTROL_ACTS).order_by("-at", "-pk")
    last = acts.first()
    if last is None or last.action != TAKEN or now - last.at > DRIVES_AT_MOST:
        return None
    if now - last.at > TAKES_ITS_SEAT and not _is_near(session, last.actor_id):
        return None
    return Driver(last.actor_id, last.actor_name, last.at)


def _is_near(session: AgentSession, user_id: int | None) -> bool:
    """A browser that crashed never gives control back, but its page is not open either."""
    present = _present(session)
    return present is None or user_id in present.lately


def watching(session: AgentSession) -> tuple[str, ...]:
    """Names of those who have the page open."""
    present = _present(session)
    people = User.objects.filter(pk__in=present.here) if present else User.objects.none()
    return tuple(people.order_by("username").values_list("username", flat=True))


def _present(session: AgentSession) -> presence.Presence | None:
    """None when Redis does not say."""
    try:
        return presence.of(session.pk)
    except (redis.RedisError, OSError):
        return None
