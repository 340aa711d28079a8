"""Stopping many: freeze a list, ask for it, and turn its items one by one into stops like any other.

The rows are the queue here as well: an item that has neither a stop nor words why not is waiting, and whoever
works off stops takes waiting items first.  A restart half-way finds them where they were.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from sessions_app.access import audit
from sessions_app.models import AgentSession, BulkItem, BulkStop
from sessions_app.rules.bulk import why_not
from sessions_app.stopping.request import clean, request_stop
from sessions_app.types import Strategy

BATCH = 20
"""Items of a transaction: each is half a dozen queries, and nobody else writes to SQLite meanwhile."""
DRAFTS_KEPT = timedelta(days=1)


class AlreadyAsked(Exception):
    """The bulk was confirmed before, perhaps by the same double click.  Nothing was changed."""


@transaction.atomic
def freeze(
    session_pks: Sequence[int],
    scope: str,
    maker: User,
    now: datetime,
    *,
    left_out: int = 0,
    is_everything: bool = False,
    retry_of: BulkStop | None = None,
) -> BulkStop:
    """A draft with these sessions, in this order.  Nothing is stopped before `ask`."""
    BulkStop.objects.filter(asked_at=None, made_at__lt=now - DRAFTS_KEPT).delete()
    bulk = BulkStop.objects.create(
        made_at=now,
        made_by=maker,
        made_by_name=maker.get_username(),
        scope=clean(scope),
        left_out=left_out,
        is_everything=is_everything,
        retry_of=retry_of,
    )
    items = (BulkItem(bulk=bulk, session_id=pk) for pk in session_pks)
    BulkItem.objects.bulk_create(items, batch_size=500)
    return bulk


@transaction.atomic
def ask(bulk: BulkStop, strategy: Strategy, reason: str, now: datetime) -> None:
    """From now on the list is worked off.  Whether its maker may is the caller's to check.  Raises AlreadyAsked."""
    held = BulkStop.objects.filter(pk=bulk.pk, asked_at=None)
    if not held.update(asked_at=now, strategy=strategy, reason=clean(reason)):
        raise AlreadyAsked
    bulk.refresh_from_db()
    audit.record(
        bulk.made_by,
        "bulk.requested",
        bulk=bulk.pk,
        strategy=strategy,
        reason=bulk.reason,
        scope=bulk.scope,
        sessions=bulk.items.count(),
    )


def release(now: datetime) -> int:
    """Stops for waiting items, BATCH at a time until none waits.  Returns how many items were settled."""
    settled = 0
    while done := _release_batch(now):
        settled += done
    return settled


@transaction.atomic
def _release_batch(now: datetime) -> int:
    waiting = BulkItem.objects.filter(stop=None, skipped="", bulk__asked_at__isnull=False).order_by("pk")
    items = list(waiting.select_for_update(of=("self",), skip_locked=True)[:BATCH])
    bulks = BulkStop.objects.select_related("made_by").in_bulk({item.bulk_id for item in items})
    sessions = AgentSession.objects.in_bulk([item.session_id for item in items])
    for item in items:
        _settle(item, bulks[item.bulk_id], sessions[item.session_id], now)
    BulkItem.objects.bulk_update(items, ["stop", "skipped", "joined"])
    return len(items)


def _settle(item: BulkItem, bulk: BulkStop, session: AgentSession, now: datetime) -> None:
    """A stop, or words why not: what has ended since the click is left alone."""
    item.skipped = why_not(bulk.strategy, session.status, is_gone=session.gone_at is not None)
    if item.skipped:
        return
    strategy = Strategy(bulk.strategy)
    asked = request_stop(session, strategy, bulk.made_by, bulk.reason, now, bulk=bulk.pk)
    item.stop, item.joined = asked.stop, asked.joined
