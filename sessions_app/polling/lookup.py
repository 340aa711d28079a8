"""What we know of the sessions on a page, in one cheap question: it is asked of every page, changed or not."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

_SELECT = """
    SELECT uuid, digest, is_live, account_id,
           missing_since IS NOT NULL OR gone_at IS NOT NULL OR unread_since IS NOT NULL
    FROM sessions_app_agentsession WHERE """
_BY_VENDOR = {
    # One parameter, whatever their number: the statement is prepared once.
    "sqlite": _SELECT + "uuid IN (SELECT value FROM json_each(%s))",  # noqa: S608
    "postgresql": _SELECT + "uuid = ANY(%s)",
}


class Stored(NamedTuple):
    """`digest` is None when whatever is said of the session is news: it was missing, unreadable or elsewhere."""

    digest: int | None
    is_live: bool


def stored(account_id: int, uuids: Sequence[UUID]) -> dict[str, Stored]:
    """By the uuid's 32 hex digits; sessions that were never seen are not in it."""
    if not uuids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_VENDOR[connection.vendor], [_parameter(uuids)])
        rows = cursor.fetchall()
    return {
        uuid if isinstance(uuid, str) else uuid.hex: Stored(
            None if troubled or account != account_id else digest, bool(is_live)
        )
        for uuid, digest, is_live, account, troubled in rows
    }


def _parameter(uuids: Sequence[UUID]) -> object:
    if connection.vendor == "sqlite":
        return msgspec.json.encode([uuid.hex for uuid in uuids]).decode()
    return list(uuids)
