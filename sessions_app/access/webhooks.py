"""What came of an account's webhooks, for whoever sets them up: when the last one arrived, why one was refused."""

from datetime import datetime, timedelta

from django.db.models import Q

from sessions_app.models import Account

NOTED_EVERY = timedelta(seconds=2)
"""A burst of webhooks is one write: they must not stand in the poller's way."""


def arrived(account: Account, kind: str, now: datetime) -> None:
    """One whose signature was good; `kind` of at most 60 characters."""
    is_old = Q(webhook_at=None) | Q(webhook_at__lt=now - NOTED_EVERY) | ~Q(webhook_kind=kind)
    Account.objects.filter(is_old, pk=account.pk).update(webhook_at=now, webhook_kind=kind)


def refused(account: Account, words: str, now: datetime) -> None:
    """One that was not believed: the whole world may send such."""
    is_old = Q(webhook_refused_at=None) | Q(webhook_refused_at__lt=now - NOTED_EVERY)
    Account.objects.filter(is_old, pk=account.pk).update(webhook_refused_at=now, webhook_refusal=words[:200])
