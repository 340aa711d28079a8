"""Keeps pictures: files by content in Django's storage `pictures`, and a row per picture of a session.

A file is shared by all who have the same picture, so it goes only when no row points at it.  Whoever stores and whoever
deletes do so under `_alone_with`, so that neither takes away what the other has just relied on.
"""

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import connection, transaction
from django.utils import timezone

from sessions_app.live import publish
from sessions_app.models import AgentSession, Screenshot

from . import image

KEPT = 200
"""Pictures of one session; older ones go."""
SLACK = 20
"""So many more are let stand before any goes: a deletion per picture would cost as much as the picture."""
MB = 1024 * 1024
LOCKS = 7_351
"""PostgreSQL's advisory locks are numbered; these are ours."""


def store() -> Storage:
    return storages["pictures"]


def file_name(content_hash: str, *, thumb: bool = False) -> str:
    """Where a picture lies in the storage; spread over 256 folders, for file systems that mind."""
    return f"{content_hash[:2]}/{content_hash}{'.thumb' if thumb else ''}.webp"


def keep(session: AgentSession, data: bytes, *, step_count: int, taken_at: datetime) -> bool:
    """Make `data` the session's last picture.  False when it is so already; raises BadPicture.

    `taken_at`: when the read began that named the picture.  The files come first, then in one transaction the
    row, the session's columns and the news to open screens.
    """
    content_hash = image.hash_of(data)
    if content_hash == session.picture:
        AgentSession.objects.filter(pk=session.pk, picture=content_hash).update(picture_at=taken_at)
        return False
    width, height, stored_bytes = _known(content_hash) or _store(data)
    with transaction.atomic():
        _alone_with(content_hash)
        Screenshot.objects.create(
            session=session,
            taken_at=taken_at,
            step_count=step_count,
            content_hash=content_hash,
            width=width,
            height=height,
            stored_bytes=stored_bytes,
        )
        if not _lies_here(content_hash):  # deleted since: until now no row pointed at it
            _store(data)
        mine = AgentSession.objects.filter(pk=session.pk)
        mine.update_shown(timezone.now(), picture=content_hash, picture_at=taken_at)
        publish.changed_on_commit(session.account_id, [session.pk])
    thin_out(session.pk)
    return True


def thin_out(session_id: int, kept: int = KEPT, slack: int = SLACK) -> int:
    """Delete the oldest pictures of a session beyond `kept`, and files that no row points at.  Returns how many rows."""
    mine = Screenshot.objects.filter(session_id=session_id)
    if mine.count() <= kept + slack:
        return 0
    old = list(mine.order_by("-taken_at", "-pk").values_list("pk", "content_hash")[kept:])
    Screenshot.objects.filter(pk__in=[pk for pk, _ in old]).delete()
    delete_unused({content_hash for _, content_hash in old})
    return len(old)


def delete_unused(hashes: Iterable[str]) -> set[str]:
    """Delete the files of those of `hashes` that no row points at any more.  Returns these."""
    return {content_hash for content_hash in sorted(set(hashes)) if _delete_unused(content_hash)}


def _delete_unused(content_hash: str) -> bool:
    """In a transaction of its own: nobody waits for more than one picture's files."""
    with transaction.atomic():
        _alone_with(content_hash)
        if Screenshot.objects.filter(content_hash=content_hash).exists():
            return False
        for thumb in (False, True):
            store().delete(file_name(content_hash, thumb=thumb))
    return True


def _alone_with(content_hash: str) -> None:
    """Until the transaction ends, nobody else stores or deletes this picture.  SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        number = int.from_bytes(bytes.fromhex(content_hash[:8]), signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, number])


# ---- room ------------------------------------------------------------------------------------------


def free_bytes() -> int | None:
    """On the disk of the pictures; None where they lie elsewhere than on a disk."""
    pictures = store()
    if not isinstance(pictures, FileSystemStorage):
        return None
    place = Path(pictures.location)
    return shutil.disk_usage(next(path for path in (place, *place.parents) if path.exists())).free


def has_room() -> bool:
    """Whether new ones may be stored: the last of a disk is the database's."""
    free = free_bytes()
    return free is None or free >= settings.PICTURES_LEAVE_FREE_MB * MB


# ---- files -----------------------------------------------------------------------------------------


def _known(content_hash: str) -> tuple[int, int, int] | None:
    """Width, height and bytes of a picture that lies here already, of whichever session."""
    row = Screenshot.objects.filter(content_hash=content_hash).first()
    return (row.width, row.height, row.stored_bytes) if row and _lies_here(content_hash) else None


def _lies_here(content_hash: str) -> bool:
    return all(store().exists(file_name(content_hash, thumb=thumb)) for thumb in (False, True))


def _store(data: bytes) -> tuple[int, int, int]:
    made = image.make(data)
    store().save(file_name(made.content_hash, thumb=True), ContentFile(made.thumb))
    store().save(file_name(made.content_hash), ContentFile(made.full))
    return made.width, made.height, len(made.full) + len(made.thumb)
