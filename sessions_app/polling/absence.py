"""Sessions that upstream does not give any more.  Absence from a list proves nothing; two 404s a minute apart do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from sessions_app.live import publish
from sessions_app.models import Account, AgentSession
from sessions_app.polling import words
from sessions_app.rules import attention

CONFIRMED_AFTER = timedelta(seconds=60)


def note_not_found(account: Account, uuids: Sequence[UUID], asked_at: datetime) -> None:
    """Upstream answered 404 for each of these, asked one by one at `asked_at` with a key that had just worked."""
    if not uuids:
        return
    with transaction.atomic():
        rows = AgentSession.objects.filter(
            account=account, uuid__in=uuids, gone_at=None, observed_at__lt=asked_at
        )
        first = _ids(rows.filter(missing_since=None))
        again = _ids(rows.filter(missing_since__lte=asked_at - CONFIRMED_AFTER))
        AgentSession.objects.filter(pk__in=first).update_shown(asked_at, missing_since=asked_at)
        AgentSession.objects.filter(pk__in=again).update_shown(
            asked_at,
            gone_at=asked_at,
            is_live=False,
            unread_since=None,
            burn_microusd_per_min=0,
            **attention.columns([]),
        )
        words.index(again)
        if first or again:
            publish.changed_on_commit(account.pk, [*first, *again])


def note_unread(account: Account, uuids: Sequence[UUID], asked_at: datetime) -> None:
    """Reading these failed at `asked_at`: what is shown of them is old from here on, until a reading succeeds."""
    if not uuids:
        return
    with transaction.atomic():
        ids = _ids(
            AgentSession.objects.filter(
                account=account, uuid__in=uuids, is_live=True, unread_since=None, observed_at__lt=asked_at
            )
        )
        AgentSession.objects.filter(pk__in=ids).update_shown(asked_at, unread_since=asked_at)
        if ids:
            publish.changed_on_commit(account.pk, ids)


def _ids(rows: QuerySet[AgentSession]) -> list[int]:
    """Locked, in the order in which everybody locks."""
    return list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
