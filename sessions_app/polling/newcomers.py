"""Sessions that were added to a list of no order: on which page they stand nobody knows, but their browsers run.

`browsers?filterBy=active` is the only call with a status filter: one request per hundred running browsers, where a
reading of the whole list would take one per hundred sessions that ever were.
"""

import logging
from uuid import UUID

from sessions_app.models import AgentSession
from sessions_app.polling import lookup
from sessions_app.polling.clients import client_of
from sessions_app.polling.cycle import Cycle
from sessions_app.polling.places import Memory
from sessions_app.rules.pages import NewAt
from sessions_app.upstream.errors import UpstreamError

log = logging.getLogger(__name__)

LOOK_EVERY_S = 6.0
LOOK_FOR_S = 120.0
"""A session may wait for its browser; who has none by then is left to the reading of the whole list."""
MOST = 150


def added(cycle: Cycle) -> int:
    """By how many the list has grown since the last sweep that read all that it wanted."""
    now, then = cycle.extent.total or 0, cycle.account.sessions_upstream
    return 0 if then is None else max(0, now - then)


def recognise(cycle: Cycle) -> None:
    """Whom somebody else has read since the list was last counted counts as new here as well.

    A webhook had them read, or a sweep that was cut off after page 1: without that the list would seem to hide them.
    """
    counted_at = cycle.account.counted_at
    if counted_at and added(cycle) > len(cycle.new):
        seen = AgentSession.objects.filter(uuid__in=cycle.seen - cycle.new, first_seen_at__gt=counted_at)
        cycle.new |= set(seen.values_list("uuid", flat=True))


def expected(memory: Memory, added: int, now_s: float) -> int:
    """How many to look for where the list shows new ones: all, unless nobody knows where; then now and then."""
    return added if memory.new_at != NewAt.ANYWHERE or _may_look(memory, now_s) else 0


def is_time_to_look(memory: Memory, unfound: int, now_s: float) -> bool:
    """Whether to ask for browsers in a sweep that found all but so many of the added.  Notes that it was done."""
    if memory.new_at != NewAt.ANYWHERE:
        memory.look_until = 0.0
        return False
    if unfound > 0:
        memory.look_until = now_s + LOOK_FOR_S
    if now_s >= memory.look_until or not _may_look(memory, now_s):
        return False
    memory.looked_at = now_s
    return True


def unknown(cycle: Cycle) -> list[UUID]:
    """Agent sessions with a running browser that we have never seen: to be read alone.  Failure means nobody."""
    unfound, now_s = added(cycle) - len(cycle.new), cycle.started_at.timestamp()
    if cycle.memory is None or not is_time_to_look(cycle.memory, unfound, now_s):
        return []
    try:
        browsers = client_of(cycle.account, cycle.purpose).active_browsers()
    except UpstreamError as error:
        log.info("account %s: running browsers not read: %s", cycle.account.slug, error.words)
        return []
    uuids = [one.session_uuid for one in browsers if one.session_uuid]
    known = lookup.ids(uuids)
    return [uuid for uuid in dict.fromkeys(uuids) if uuid not in known][:MOST]


def _may_look(memory: Memory, now_s: float) -> bool:
    return now_s - memory.looked_at >= LOOK_EVERY_S
