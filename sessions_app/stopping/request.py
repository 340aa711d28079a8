"""A click becomes an intention: stop, audit entry and "stopping…" on every screen, in one transaction."""

from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from sessions_app.access import audit
from sessions_app.live import publish
from sessions_app.models import AgentSession, StopRequest
from sessions_app.models.stop import OPEN_STATES
from sessions_app.types import Strategy

LONGEST_REASON = 500


class Asked(NamedTuple):
    """`joined`: the same stop was open already, asked for by somebody (perhaps the same person) before."""

    stop: StopRequest
    joined: bool


def request_stop(
    session: AgentSession,
    strategy: Strategy,
    user: User | None,
    reason: str,
    now: datetime,
    *,
    escalate: bool = False,
    **said: object,
) -> Asked:
    """Write down that `user` wants this stop; whether they may is the caller's to check.

    A second click joins the open stop of the same strategy.  Nothing is sent here.  `escalate`: end the session if
    the task goes on.  `said` goes into the audit.
    """
    if escalate:
        said["escalate"] = True
    said = {"strategy": strategy, "reason": clean(reason)} | said
    with transaction.atomic():
        # Locked, so that two clicks at once make one stop, and fresh, so that the figures are those of now.
        locked = AgentSession.objects.select_for_update().get(pk=session.pk)
        stop = StopRequest.objects.filter(session=locked, strategy=strategy, state__in=OPEN_STATES).first()
        if stop is not None:
            if escalate:
                StopRequest.objects.filter(pk=stop.pk).update(escalate=True)
            audit.record(user, "stop.joined", locked, stop=stop.pk, **said)
            return Asked(stop, joined=True)
        stop = _create(locked, strategy, user, clean(reason), now, escalate)
        show_stopping(locked, now)
        audit.record(user, "stop.requested", locked, stop=stop.pk, **said)
        return Asked(stop, joined=False)


def show_stopping(session: AgentSession, now: datetime) -> None:
    """The session's row and page show the open stop, the harder one if there are two, or none any more.

    In the caller's transaction; open screens hear of it on commit.
    """
    open_ones = set(
        StopRequest.objects.filter(session=session, state__in=OPEN_STATES).values_list("strategy", flat=True)
    )
    harder_first = (str(one) for one in (Strategy.SESSION, Strategy.TASK) if one in open_ones)
    AgentSession.objects.filter(pk=session.pk).update_shown(now, stopping=next(harder_first, ""))
    publish.changed_on_commit(session.account_id, [session.pk])


def clean(reason: str) -> str:
    """One line without NUL (which PostgreSQL refuses), at most 500 characters."""
    return " ".join(reason.replace("\0", " ").split())[:LONGEST_REASON]


def _create(
    session: AgentSession, strategy: Strategy, user: User | None, reason: str, now: datetime, escalate: bool
) -> StopRequest:
    return StopRequest.objects.create(
        session=session,
        strategy=strategy,
        requested_by=user,
        requested_by_name=user.get_username() if user else "",
        reason=reason,
        escalate=escalate,
        requested_at=now,
        due_at=now,
        steps_at_click=session.step_count,
        cost_at_click_microusd=session.total_cost_microusd,
        burn_at_click_microusd_per_min=session.burn_microusd_per_min,
        status_at_click=session.status,
        known_at=session.updated_at,
    )
