"""Keeps pictures: files by content in Django's storage `pictures`, and a row per picture of a session."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone

from sessions_app.live import publish
from sessions_app.models import AgentSession, Screenshot

from . import image

KEPT = 200
"""Pictures of one session; older ones go."""
SLACK = 20
"""So many more are let stand before any goes: a deletion per picture would cost as much as the picture."""
YOUNG = timedelta(hours=1)
"""A file as young as that is never deleted: another session may be about to point at it."""


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
        Screenshot.objects.create(
            session=session,
            taken_at=taken_at,
            step_count=step_count,
            content_hash=content_hash,
            width=width,
            height=height,
            stored_bytes=stored_bytes,
        )
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


def delete_unused(hashes: Iterable[str]) -> None:
    """Delete the files of those of `hashes` that no row points at any more."""
    hashes = set(hashes)
    used = Screenshot.objects.filter(content_hash__in=hashes).values_list("content_hash", flat=True)
    for content_hash in hashes - set(used.distinct()):
        for thumb in (False, True):
            name = file_name(content_hash, thumb=thumb)
            if store().exists(name) and timezone.now() - store().get_modified_time(name) > YOUNG:
                store().delete(name)


def _known(content_hash: str) -> tuple[int, int, int] | None:
    """Width, height and bytes of a picture that lies here already, of whichever session."""
    row = Screenshot.objects.filter(content_hash=content_hash).first()
    if row is None or not all(store().exists(file_name(content_hash, thumb=t)) for t in (False, True)):
        return None
    return row.width, row.height, row.stored_bytes


def _store(data: bytes) -> tuple[int, int, int]:
    made = image.make(data)
    store().save(file_name(made.content_hash, thumb=True), ContentFile(made.thumb))
    store().save(file_name(made.content_hash), ContentFile(made.full))
    return made.width, made.height, len(made.full) + len(made.thumb)
