"""Who did what, for good: entries are only added, and each carries a hash over itself and the one before.

Whoever changes or takes away an entry breaks the chain from there on (`verify` names the first bad one); only a
cut at the very end goes unseen, unless the last hash was written down elsewhere.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.utils import timezone

from sessions_app.models import AgentSession, AuditEntry

ADVISORY_LOCK = 0x57_46_61_75  # "WFau"
"""PostgreSQL's lock for appending.  SQLite has one writer at a time anyway."""


class Verdict(NamedTuple):
    """`bad`: id of the first entry that does not fit, None when all do.  `head`: the last good hash."""

    entries: int
    bad: int | None
    head: str


def record(
    actor: User | AnonymousUser | None, action: str, session: AgentSession | None = None, **detail: object
) -> AuditEntry:
    """Add one entry, in the caller's transaction (in one of its own when there is none).

    `actor` None: the product itself.  `detail`: plain JSON values, never a credential.  Best called last in a
    transaction: on PostgreSQL the next append waits until it ends.
    """
    known = actor if isinstance(actor, User) else None
    entry = AuditEntry(
        at=timezone.now(),
        actor=known,
        actor_name=known.get_username() if known else "",
        action=action,
        session=session,
        detail=detail,
    )
    with transaction.atomic():
        one_at_a_time()
        entry.chain = _link(_head(), entry)
        entry.save(force_insert=True)
    return entry


def one_at_a_time() -> None:
    """Until the open transaction ends nobody else appends, nor does anything else that calls this first."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])


def verify() -> Verdict:
    """Walk the whole chain, oldest first.  Constant memory."""
    before, seen = "", 0
    for entry in _oldest_first():
        if entry.chain != _link(before, entry):
            return Verdict(seen, entry.pk, before)
        before, seen = entry.chain, seen + 1
    return Verdict(seen, None, before)


def _oldest_first() -> Iterator[AuditEntry]:
    return AuditEntry.objects.order_by("pk").iterator(chunk_size=2_000)


def _head() -> str:
    return AuditEntry.objects.order_by("-pk").values_list("chain", flat=True).first() or ""


def _link(before: str, entry: AuditEntry) -> str:
    """SHA-256 over what the entry says and the hash before it.  The same for a new entry and one read back."""
    said = [
        before,
        _moment(entry.at),
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.session_id,
        entry.detail,
    ]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
