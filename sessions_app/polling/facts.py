"""What is true of an account as a whole: its balance, its project, the names of its profiles and workspaces."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from sessions_app.live import publish
from sessions_app.models import Account, UpstreamName
from sessions_app.polling.clients import client_of
from sessions_app.types import NamedThing
from sessions_app.upstream.errors import UpstreamError

log = logging.getLogger(__name__)

FACTS_EVERY = timedelta(seconds=25)
NAMES_EVERY = timedelta(minutes=5)


def refresh_all() -> None:
    """Of every active account what is older than it may be.  A failure leaves the old, with its age."""
    now = timezone.now()
    for account in Account.objects.filter(is_active=True).exclude(error_kind="unauthorized").order_by("pk"):
        try:
            if account.balance_read_at is None or now - account.balance_read_at >= FACTS_EVERY:
                read_facts(account)
            if account.names_read_at is None or now - account.names_read_at >= NAMES_EVERY:
                read_names(account)
        except UpstreamError as error:
            log.warning("account %s: balance or names not read: %s", account.slug, error.words)


def read_facts(account: Account) -> None:
    """Balance and project.  Raises UpstreamError."""
    asked_at = timezone.now()
    facts = client_of(account).account()
    Account.objects.filter(pk=account.pk).update(
        project_id=facts.project_id,
        project_name=facts.name,
        balance_microusd=facts.balance_microusd,
        balance_read_at=asked_at,
        concurrent_browsers=facts.concurrent_browsers,
    )
    publish.swept(account.pk)


def read_names(account: Account) -> None:
    """Names of profiles and workspaces.  Those that are gone upstream stay: old sessions point at them."""
    asked_at = timezone.now()
    client = client_of(account)
    _store(account, UpstreamName.PROFILE, client.profiles())
    _store(account, UpstreamName.WORKSPACE, client.workspaces())
    Account.objects.filter(pk=account.pk).update(names_read_at=asked_at)


def _store(account: Account, kind: str, things: Iterable[NamedThing]) -> None:
    stored = {
        row.uuid: (row.name, row.customer_id)
        for row in UpstreamName.objects.filter(account=account, kind=kind)
    }
    fresh = [
        UpstreamName(
            account=account,
            kind=kind,
            uuid=thing.uuid,
            name=thing.name[:300],
            customer_id=thing.customer_id[:300],
        )
        for thing in things
    ]
    UpstreamName.objects.bulk_create(
        [row for row in fresh if stored.get(row.uuid) != (row.name, row.customer_id)],
        update_conflicts=True,
        unique_fields=["account", "kind", "uuid"],
        update_fields=["name", "customer_id"],
    )
