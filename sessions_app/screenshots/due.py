"""Whose picture is to be fetched next.  A session is its own queue: `picture_tried_at` is claim and memory in one."""

from datetime import datetime, timedelta

import redis
from django.db.models import Case, F, Q, QuerySet, SmallIntegerField, When

from sessions_app.live import watching
from sessions_app.models import AgentSession

PER_ROUND = 8
PAUSE = timedelta(seconds=4)
"""Between two pictures of one session."""
PAUSE_AFTER_FAILURE = timedelta(seconds=30)
"""A broken picture waits longer; also how long a killed worker's claim stands."""
RECENTLY_ENDED = timedelta(minutes=15)
OLD = timedelta(days=1)
"""A session that had ended longer ago than that when we first saw it: its picture is gone."""


def claim(now: datetime, most: int = PER_ROUND) -> list[AgentSession]:
    """At most `most` sessions, with their accounts, most wanted first.  They are ours: nobody else gets them now.

    Half of the places are for what somebody has open and for what needs attention, however many others there are; the
    other half goes round, so that thousands of them wait long, but none for ever.
    """
    opened = _opened()
    looked_at = _candidates(now).filter(Q(pk__in=opened) | Q(attention_rank__gt=0), is_live=True)
    is_open = Case(When(pk__in=opened, then=0), default=1, output_field=SmallIntegerField())
    first = list(looked_at.order_by(is_open, *looked_at.query.order_by)[: most // 2])
    others = _candidates(now).exclude(pk__in=[session.pk for session in first])[: most - len(first)]
    return [session for session in [*first, *others] if _won(session, now)]


def _opened() -> list[int]:
    try:
        return watching.opened()
    except (redis.RedisError, OSError):
        return []


def _won(session: AgentSession, now: datetime) -> bool:
    """The conditional update that one of several workers wins."""
    unclaimed = AgentSession.objects.filter(pk=session.pk, picture_tried_at=session.picture_tried_at)
    return unclaimed.update(picture_tried_at=now) == 1


def _candidates(now: datetime) -> QuerySet[AgentSession]:
    """Sessions whose picture is older than what happened since, in the order of `_turn`, the oldest picture first."""
    stale = Q(picture_at=None) | Q(picture_at__lt=F("progress_at")) | Q(picture_at__lt=F("ended_at"))
    return (
        AgentSession.objects.filter(
            _is_alive(now) & stale & _has_rested(now), has_screenshot=True, gone_at=None
        )
        .filter(account__is_active=True, account__failing_since=None)
        .select_related("account")
        .order_by(_turn(), F("picture_at").asc(nulls_first=True), "pk")
    )


def _turn() -> Case:
    """Living ones that nobody has seen yet, then the last picture of those that have just ended, then fresh ones
    of the living; what had ended before we first looked comes last, however many the first import brings."""
    return Case(
        When(is_live=True, picture="", then=0),
        When(~Q(picture=""), is_live=False, then=1),
        When(is_live=True, then=2),
        default=3,
        output_field=SmallIntegerField(),
    )


def _is_alive(now: datetime) -> Q:
    """Living, or ended a moment ago: then one last picture is wanted.  `changed_at` has the index."""
    just_ended = Q(is_live=False, changed_at__gt=now - RECENTLY_ENDED, ended_at__gt=now - OLD)
    return Q(is_live=True) | just_ended


def _has_rested(now: datetime) -> Q:
    """A success leaves `picture_at` at or after `picture_tried_at`; a failure, or a claim that died, does not."""
    never = Q(picture_tried_at=None)
    succeeded = Q(picture_at__gte=F("picture_tried_at"), picture_tried_at__lte=now - PAUSE)
    return never | succeeded | Q(picture_tried_at__lte=now - PAUSE_AFTER_FAILURE)
