"""What we know of sessions that somebody has just read: asked about every page, so it goes past the ORM.

By the ORM the same questions cost ten times more, most of it for building the statement and turning 36 columns
into objects (`make bench ONLY=3`).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection, models

from sessions_app.models import AgentSession, SessionDetail
from sessions_app.rules.changes import Known

_TROUBLED = "missing_since IS NOT NULL OR gone_at IS NOT NULL OR unread_since IS NOT NULL"
#: One parameter, whatever the number of sessions, so that the statement is prepared once.
_AMONG = {"sqlite": "uuid IN (SELECT value FROM json_each(%s))", "postgresql": "uuid = ANY(%s::uuid[])"}
_SAID_AT = {
    "sqlite": "substr(updated_at || '.000000', 1, 26)",
    "postgresql": "to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}
"""Always six digits of a second: a text with fewer of them is no later one."""


class Stored(NamedTuple):
    """`digest` is None when whatever is said of the session is news: it was missing, unreadable or elsewhere.

    `said_at`: the vendor's `updatedAt` as text, to be compared with `upstream.digest.said_at`.
    """

    digest: int | None
    is_live: bool
    said_at: str | None


class Locked(NamedTuple):
    """A session as it stands until the end of the transaction.  `troubled`: missing, gone or unread;
    `denied_at`: when the request began that was answered with the last 404 that counts."""

    known: Known
    account_id: int
    troubled: bool
    denied_at: datetime | None
    live_url_digest: int
    recording_urls_digest: int


def stored(account_id: int, uuids: Sequence[UUID]) -> dict[UUID, Stored]:
    """Without locking; sessions that were never seen are not in it."""
    keys, among = _keys(uuids), _AMONG[connection.vendor]
    news = f"account_id <> {int(account_id)} OR {_TROUBLED}"
    statement = (
        f"SELECT uuid, CASE WHEN {news} THEN NULL ELSE digest END, is_live, {_SAID_AT[connection.vendor]} "  # noqa: S608
        f"FROM {_table(AgentSession)} WHERE {among}"
    )
    return {keys[row[0]]: Stored._make(row[1:]) for row in _rows(statement, keys)}


def ids(uuids: Sequence[UUID]) -> dict[UUID, int]:
    """Our ids of sessions that are known."""
    statement = f"SELECT uuid, id FROM {_table(AgentSession)} WHERE {_AMONG[connection.vendor]}"  # noqa: S608
    return {uuid: pk for uuid, (pk,) in _select(statement, uuids)}


def locked(uuids: Sequence[UUID]) -> dict[UUID, Locked]:
    """Inside a transaction; everybody locks in the same order."""
    readers = _readers(connection.vendor)
    found = {}
    for uuid, (account_id, troubled, denied, live, films, *values) in _select(
        _locking(connection.vendor), uuids
    ):
        for index, read in readers:
            values[index] = read(values[index])
        known = Known._make(values)
        found[uuid] = Locked(known, account_id, bool(troubled), _read(denied), live or 0, films or 0)
    return found


@cache
def _locking(vendor: str) -> str:
    names = ", ".join(_column(name, vendor) for name in Known._fields)
    denied = _text_of("COALESCE(s.gone_at, s.missing_since)")
    return (
        f"SELECT s.uuid, s.account_id, {_TROUBLED}, {denied}, d.live_url_digest, d.recording_urls_digest, {names} "  # noqa: S608
        f"FROM {_table(AgentSession)} s LEFT JOIN {_table(SessionDetail)} d ON d.session_id = s.id "
        f"WHERE s.{_AMONG[vendor]} ORDER BY s.id" + ("" if vendor == "sqlite" else " FOR UPDATE OF s")
    )


def _column(name: str, vendor: str) -> str:
    """An expression has no type in SQLite: so the driver leaves the text of a moment to us, who read it faster."""
    is_moment = isinstance(AgentSession._meta.get_field(name), models.DateTimeField)
    return _text_of(f"s.{name}") if is_moment and vendor == "sqlite" else f"s.{name}"


def _text_of(moment: str) -> str:
    """That expression as text in SQLite, and as it is elsewhere; `_read` knows both."""
    return f"{moment} || ''" if connection.vendor == "sqlite" else moment


def _select(statement: str, uuids: Sequence[UUID]) -> list[tuple[UUID, list[Any]]]:
    """Rows by the uuid that they begin with, in the order of the statement."""
    keys = _keys(uuids)
    return [(keys[key], rest) for key, *rest in _rows(statement, keys)]


def _keys(uuids: Sequence[UUID]) -> dict[Any, UUID]:
    """As the database gives them back."""
    return {uuid.hex: uuid for uuid in uuids} if connection.vendor == "sqlite" else {u: u for u in uuids}


def _rows(statement: str, keys: dict[Any, UUID]) -> list[tuple[Any, ...]]:
    if not keys:
        return []
    hexes = [uuid.hex for uuid in keys.values()]
    sqlite = connection.vendor == "sqlite"
    parameter = msgspec.json.encode(hexes).decode() if sqlite else "{" + ",".join(hexes) + "}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter])
        return cursor.fetchall()


@cache
def _readers(vendor: str) -> list[tuple[int, Callable[[Any], Any]]]:
    """What turns a column of this database into a value of `Known`, by its place."""
    by_type: dict[type[models.Field], Callable[[Any], Any]] = {models.JSONField: _json}
    if vendor == "sqlite":
        by_type[models.DateTimeField] = _moment
    fields = [AgentSession._meta.get_field(name) for name in Known._fields]
    return [(index, by_type[type(field)]) for index, field in enumerate(fields) if type(field) in by_type]  # type: ignore[index]


def _read(moment: Any) -> datetime | None:
    return moment if connection.vendor != "sqlite" else _moment(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _json(text: str) -> Any:
    return [] if text == "[]" else msgspec.json.decode(text)


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table
