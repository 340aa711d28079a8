"""How keeping things small goes: for the settings page, and for /metrics."""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from sessions_app.models import UpkeepPass

OVERDUE = timedelta(hours=3)
"""Passes begin every hour, or more often: work piles up, or nobody does it."""


class Upkeep(NamedTuple):
    """Of one kind the newest pass, finished or not; None before there is one."""

    kind: str
    newest: UpkeepPass | None

    @property
    def is_under_way(self) -> bool:
        return self.newest is not None and self.newest.finished_at is None

    @property
    def is_overdue(self) -> bool:
        return self.newest is not None and timezone.now() - self.newest.started_at > OVERDUE

    @property
    def kept(self) -> int:
        """Of what was looked at, in the newest pass."""
        return self.newest.looked_at - self.newest.deleted if self.newest else 0


class Policy(NamedTuple):
    """The settings, in their own units; 0 is for ever, or without bound."""

    full_days: int
    fine_days: int
    pictures_days: int
    pictures_mb: int


def upkeep() -> tuple[Upkeep, ...]:
    """History, then pictures."""
    return tuple(_of(kind) for kind in (UpkeepPass.HISTORY, UpkeepPass.PICTURES))


def policy() -> Policy:
    return Policy(
        settings.HISTORY_FULL_DAYS,
        settings.HISTORY_FINE_DAYS,
        settings.PICTURES_DAYS,
        settings.PICTURES_MAX_MB,
    )


def _of(kind: str) -> Upkeep:
    return Upkeep(kind, UpkeepPass.objects.filter(kind=kind).order_by("-pk").first())
