"""Bounds what pictures take: by age, by bytes, by what is left of the disk.  The oldest go; a session's last one stays."""

import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from sessions_app.models import Screenshot, UpkeepPass
from sessions_app.upkeep import passes

from . import storage
from .disk import UNFINISHED
from .storage import MB

EVERY = timedelta(minutes=5)
AT_A_TIME_S = 2.0
ROWS_PER_TRANSACTION = 100
PAUSE_S = 0.02
YOUNG = timedelta(hours=1)
"""A file without a row that is as young as that may be about to get one."""
FOLDERS, FOLDERS_PER_PASS = 256, 8
"""So every folder is looked through in less than three hours."""
NAME = re.compile(r"([0-9a-f]{64})(\.thumb)?\.webp")


def work(
    now: datetime | None = None, *, every: timedelta = EVERY, at_a_time_s: float = AT_A_TIME_S
) -> UpkeepPass | None:
    """Go on with the pass that is due, for about `at_a_time_s`.  Returns it, or None when nothing is to be done."""
    now = now or timezone.now()
    last = passes.last_finished(UpkeepPass.PICTURES)
    current = passes.claim(UpkeepPass.PICTURES, now, every, place=last.place if last else 0)
    if current is None:
        return None
    finished = False
    try:
        finished = _walk(current, now, time.monotonic() + at_a_time_s)
    finally:
        passes.let_go(current, now if finished else None)
    current.refresh_from_db()
    return current


def total_bytes() -> int:
    """What the files of all pictures take; one that several sessions have counts once."""
    files = Screenshot.objects.order_by().values("content_hash").annotate(bytes=Max("stored_bytes"))
    return files.aggregate(total=Sum("bytes"))["total"] or 0


def excess() -> int:
    """Bytes that must go: beyond PICTURES_MAX_MB, or missing on the disk (and some more, so that it isn't close)."""
    most, free = settings.PICTURES_MAX_MB * MB, storage.free_bytes()
    leave = settings.PICTURES_LEAVE_FREE_MB * MB * 5 // 4
    return max(total_bytes() - most if most else 0, leave - free if free is not None else 0, 0)


def too_old(now: datetime) -> QuerySet[Screenshot]:
    """By PICTURES_DAYS; a session's last one never is."""
    if not settings.PICTURES_DAYS:
        return Screenshot.objects.none()
    return not_the_last().filter(taken_at__lt=now - timedelta(days=settings.PICTURES_DAYS))


def not_the_last() -> QuerySet[Screenshot]:
    """In the order they came, which is that of their age."""
    later = Q(taken_at__gt=OuterRef("taken_at")) | Q(taken_at=OuterRef("taken_at"), pk__gt=OuterRef("pk"))
    return Screenshot.objects.filter(
        Exists(Screenshot.objects.filter(later, session=OuterRef("session")))
    ).order_by("pk")


# ---- the walk --------------------------------------------------------------------------------------


def _walk(current: UpkeepPass, now: datetime, deadline: float) -> bool:
    """True at the end; False when time is up."""
    while rows := list(too_old(now)[:ROWS_PER_TRANSACTION]):
        _delete(current, rows)
        if time.monotonic() > deadline:
            return False
    still = _make_room(current, excess(), deadline)
    if still is None:
        return False
    place = _sweep_folders(current, now)
    _conclude(current, place, still)
    return True


def _make_room(current: UpkeepPass, need: int, deadline: float) -> int | None:
    """Free so many bytes, the oldest first.  Returns what could not be freed; None when time is up."""
    place = 0
    while need > 0 and (rows := _oldest(place, need)):
        need -= _delete(current, rows)
        place = rows[-1].pk
        if time.monotonic() > deadline:
            return None
    return max(need, 0)


def _oldest(place: int, need: int) -> list[Screenshot]:
    """No more than free `need` bytes, as far as can be known: others may have the same picture."""
    rows: list[Screenshot] = []
    for row in not_the_last().filter(pk__gt=place)[:ROWS_PER_TRANSACTION]:
        if need <= 0:
            break
        rows.append(row)
        need -= row.stored_bytes
    return rows


def _delete(current: UpkeepPass, rows: Sequence[Screenshot]) -> int:
    """The rows in one transaction, then the files that nobody needs now.  Returns bytes freed.

    A worker killed in between leaves files, which are swept.
    """
    with transaction.atomic():
        Screenshot.objects.filter(pk__in=[row.pk for row in rows]).delete()
        passes.note(current, deleted=len(rows))
    sizes = {row.content_hash: row.stored_bytes for row in rows}
    freed = sum(sizes[content_hash] for content_hash in storage.delete_unused(sizes))
    passes.note(current, freed_bytes=freed)
    time.sleep(PAUSE_S)
    return freed


def _conclude(current: UpkeepPass, place: int, still: int) -> None:
    left = Screenshot.objects.count()
    current.refresh_from_db()
    UpkeepPass.objects.filter(pk=current.pk).update(
        place=place, looked_at=left + current.deleted, stored_bytes=total_bytes(), note=_words(still)
    )


def _words(still: int) -> str:
    if not storage.has_room():
        return "Their disk is almost full: no new picture is kept until there is room."
    if still:
        return f"The last pictures of the sessions alone take {-(-still // MB):,} MB too much: they stay."
    return ""


# ---- files that nobody knows -----------------------------------------------------------------------


def _sweep_folders(current: UpkeepPass, now: datetime) -> int:
    """Some folders further; returns where the next pass goes on."""
    for number in range(current.place, current.place + FOLDERS_PER_PASS):
        passes.note(current, freed_bytes=sweep_folder(f"{number % FOLDERS:02x}", now))
    return (current.place + FOLDERS_PER_PASS) % FOLDERS


def sweep_folder(folder: str, now: datetime) -> int:
    """Delete files that no row points at, and those that were never finished.  Returns bytes freed."""
    try:
        _, names = storage.store().listdir(folder)
    except FileNotFoundError:
        return 0
    hashes = {name: match[1] for name in names if (match := NAME.fullmatch(name))}
    unknown = set(hashes.values()) - _pointed_at(set(hashes.values()))
    stray = [name for name in names if hashes.get(name) in unknown or name.startswith(UNFINISHED)]
    sizes = {name: storage.store().size(f"{folder}/{name}") for name in stray if _is_old(folder, name, now)}
    gone = storage.delete_unused({hashes[name] for name in sizes if name in hashes})
    for name in sizes:
        if name not in hashes:
            storage.store().delete(f"{folder}/{name}")
    return sum(size for name, size in sizes.items() if name not in hashes or hashes[name] in gone)


def _pointed_at(hashes: Iterable[str]) -> set[str]:
    rows = Screenshot.objects.filter(content_hash__in=hashes).order_by()
    return set(rows.values_list("content_hash", flat=True).distinct())


def _is_old(folder: str, name: str, now: datetime) -> bool:
    try:
        return now - storage.store().get_modified_time(f"{folder}/{name}") > YOUNG
    except FileNotFoundError:
        return False
