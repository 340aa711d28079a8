"""Who may stop what.  Asked twice: at the click, and again right before anything is sent."""

from django.contrib.auth.models import AnonymousUser, User

from sessions_app.models import StopRequest
from sessions_app.types import Strategy

PERMISSION = {Strategy.TASK: "sessions_app.stop_task", Strategy.SESSION: "sessions_app.end_session"}


def may_stop(user: User | AnonymousUser, strategy: Strategy) -> bool:
    return user.has_perm(PERMISSION[strategy])  # of somebody who was switched off: never


def may_stop_everything(user: User | AnonymousUser) -> bool:
    """Admins: people who may end sessions, and answer for the whole floor."""
    return user.has_perm("sessions_app.manage") and may_stop(user, Strategy.SESSION)


def still_may(stop: StopRequest) -> bool:
    """Whether whoever asked may do so still, read afresh."""
    if stop.requested_by_id is None:
        return True  # the product's own
    person = User.objects.filter(pk=stop.requested_by_id).first()
    return person is not None and may_stop(person, Strategy(stop.strategy))
