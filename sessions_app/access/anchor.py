"""The audit's last hash, written down outside the database: without that a cut at the chain's very end goes unseen.

`DATA_DIR/audit-anchors.jsonl` gets a line whenever the head has moved on since the last one, and the log gets the
same.  Ship either to where the database's owner cannot write, and the end of the chain can't be shortened.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from sessions_app.models import AuditEntry

log = logging.getLogger(__name__)
TAIL_BYTES = 4_096


class Anchor(NamedTuple):
    """At some moment entry `entry` was the last one, and `chain` its hash."""

    entry: int
    chain: str


def path() -> Path:
    return Path(settings.DATA_DIR) / "audit-anchors.jsonl"


def drop() -> Anchor | None:
    """Write the head down if it has moved on.  Returns what was written.  Raises OSError."""
    entry = AuditEntry.objects.order_by("-pk").only("pk", "chain").first()
    if entry is None or ((last := _last()) and last.entry >= entry.pk):
        return None
    line = {"at": timezone.now().isoformat(), "entry": entry.pk, "chain": entry.chain}
    with path().open("a", encoding="ascii") as file:
        file.write(json.dumps(line) + "\n")
    log.info("audit anchored: entry %s, %s", entry.pk, entry.chain)
    return Anchor(entry.pk, entry.chain)


def broken() -> Anchor | None:
    """The first anchor whose entry is not there any more, or is another one; None when all hold."""
    for anchor in read():
        if AuditEntry.objects.filter(pk=anchor.entry).values_list("chain", flat=True).first() != anchor.chain:
            return anchor
    return None


def read() -> Iterator[Anchor]:
    """All of them, oldest first.  A line that cannot be read is skipped: a full disk may have cut it short."""
    try:
        with path().open(encoding="ascii", errors="replace") as file:
            yield from filter(None, map(_parse, file))
    except FileNotFoundError:
        return


def _last() -> Anchor | None:
    try:
        with path().open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            lines = file.read().decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        return None
    return next(filter(None, map(_parse, reversed(lines))), None)


def _parse(line: str) -> Anchor | None:
    try:
        said = json.loads(line)
        return Anchor(int(said["entry"]), str(said["chain"]))
    except (ValueError, TypeError, KeyError):
        return None
