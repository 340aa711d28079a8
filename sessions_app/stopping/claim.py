"""One worker per stop.  The row is its own queue: due, claimed by a conditional update, held by a lease.

The lease's end is the proof of holding: every later write is conditional on it, so that a worker that slept too
long (or came back from the dead) finds that it holds nothing any more, and leaves the stop alone.  Of who was killed
nobody waits for the end of the lease, on the same machine (`models.lease`).
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from sessions_app.models import StopRequest
from sessions_app.models.lease import holder, lapse_of_the_dead
from sessions_app.models.stop import OPEN_STATES
from sessions_app.rules.stopping import LEASE


def claim(pk: int, now: datetime) -> StopRequest | None:
    """That stop, ours for LEASE; None when it is not due, has ended, or somebody else is at it."""
    lease = now + LEASE
    if not _due(now).filter(pk=pk).update(lease_until=lease, lease_by=holder()):
        return None
    stop = StopRequest.objects.select_related("session__account", "requested_by").get(pk=pk)
    return stop if stop.lease_until == lease else None


def claim_next(now: datetime) -> StopRequest | None:
    """Whichever has been due for longest; None when there is nothing to do, or others are at all of it."""
    for pk in _due(now).order_by("due_at").values_list("pk", flat=True)[:16]:
        if stop := claim(pk, now):
            return stop
    return None


def take_from_the_dead(now: datetime) -> int:
    """Stops whose holder was killed are due at once.  Returns how many."""
    return lapse_of_the_dead(StopRequest.objects.filter(state__in=OPEN_STATES), now, due_at=now)


def count_due(now: datetime, most: int) -> int:
    """How many are due and free, counted no further than `most`."""
    return len(_due(now).values_list("pk", flat=True)[:most])


def put(stop: StopRequest, **columns: object) -> bool:
    """Write to a stop that we hold; False, and nothing written, when we hold it no longer."""
    held = StopRequest.objects.filter(pk=stop.pk, lease_until=stop.lease_until, state__in=OPEN_STATES)
    if not held.update(**columns):
        return False
    for name, value in columns.items():
        setattr(stop, name, value)
    return True


def _due(now: datetime) -> QuerySet[StopRequest]:
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    return StopRequest.objects.filter(free, state__in=OPEN_STATES, due_at__lte=now)
