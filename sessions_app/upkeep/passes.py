"""Who walks, and from where.  A pass is claimed by a conditional update, works for moments at a time, and is let go."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from sessions_app.models import UpkeepPass

LEASE = timedelta(minutes=2)
"""Twice as long as a task may last.  A worker that died holds its pass up for that long."""
REMEMBERED = 50
"""Passes of a kind that stay as a record."""


def claim(kind: str, now: datetime, every: timedelta, **columns: Any) -> UpkeepPass | None:
    """The pass that is under way, or a new one when the last began `every` ago; ours alone until it is let go.

    None: nothing is due, or somebody else is at it.  `columns` are those of a new pass.
    """
    last = newest(kind)
    if last is None or (last.finished_at and now - last.started_at >= every):
        last = _begin(kind, now, columns)
    if last is None or last.finished_at:
        return None
    free = UpkeepPass.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), pk=last.pk, finished_at=None
    )
    return last if free.update(lease_until=now + LEASE) else None


def newest(kind: str) -> UpkeepPass | None:
    return UpkeepPass.objects.filter(kind=kind).order_by("-pk").first()


def last_finished(kind: str) -> UpkeepPass | None:
    return UpkeepPass.objects.filter(kind=kind, finished_at__isnull=False).order_by("-pk").first()


def note(current: UpkeepPass, *, place: int | None = None, **more: int) -> None:
    """Where it has come to; `more` is added to the columns of that name.  In the transaction of what it tells of."""
    columns: dict[str, Any] = {name: F(name) + number for name, number in more.items()}
    columns |= {} if place is None else {"place": place}
    UpkeepPass.objects.filter(pk=current.pk).update(**columns)


def let_go(current: UpkeepPass, finished_at: datetime | None = None) -> None:
    """Somebody else may go on, or with `finished_at` it is over."""
    UpkeepPass.objects.filter(pk=current.pk).update(lease_until=None, finished_at=finished_at)
    if finished_at:
        stay = UpkeepPass.objects.filter(kind=current.kind).order_by("-pk").values_list("pk", flat=True)
        oldest = stay[REMEMBERED : REMEMBERED + 1].first()
        UpkeepPass.objects.filter(kind=current.kind, pk__lte=oldest or 0).delete()


def _begin(kind: str, now: datetime, columns: dict[str, Any]) -> UpkeepPass | None:
    """None when somebody else begins one at this very moment: only one may be open."""
    try:
        with transaction.atomic():
            return UpkeepPass.objects.create(kind=kind, started_at=now, **columns)
    except IntegrityError:
        return None
