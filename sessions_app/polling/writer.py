"""Many rows at once, past the ORM.

`bulk_create` and `bulk_update` build a new statement of thousands of parameters each time; for the sweep's writes
that costs several times more than the writing itself (`make bench ONLY=3`).  SQLite runs one prepared statement for
each row.  PostgreSQL would parse and plan it for each, so it gets all rows as one JSON value, in one statement.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, models

from sessions_app.models.fields import EncryptedTextField, encrypt

type Rows = Iterable[Sequence[Any]]
type Names = tuple[str, ...]
type Model = type[models.Model]


def insert(model: Model, columns: Sequence[dict[str, Any]]) -> None:
    """New rows, all with the same columns; the other ones get their defaults.  Raises IntegrityError."""
    if not columns:
        return
    defaults = {
        field.name: field.get_default() for field in model._meta.concrete_fields if not field.primary_key
    }
    names = tuple(defaults)
    _run(_insert, model, names, [tuple((defaults | row).values()) for row in columns])


def upsert(
    model: Model,
    names: Sequence[str],
    rows: Rows,
    *,
    unique: Sequence[str],
    replace: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert `rows` (values in the order of `names`); where `unique` stands already, `replace` these columns
    and `add` to those; with neither, the row that stands stays."""
    _run(_upsert, model, tuple(names), rows, tuple(unique), tuple(replace), tuple(add))


def update(
    model: Model, names: Sequence[str], rows: Rows, *, raise_by_one: str = "", only_if: str = ""
) -> None:
    """Set the columns `names` of rows by their primary key: each of `rows` is the values and then the key.

    `raise_by_one`: a counter that goes up as well; `only_if`: a column that must be true.
    """
    _run(_update, model, (*names, model._meta.pk.name), rows, raise_by_one, only_if)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Writes inside don't wait for each other: PostgreSQL works on one while the next is put together.

    Whatever one of them raises may come as late as the end of the block.  Nothing to do on SQLite, which works in this process.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _run(write: Callable[..., str], model: Model, names: Names, rows: Rows, *more: Any) -> None:
    rows = list(rows)
    if not rows:
        return
    statement = write(connection.vendor, model, names, *more)
    adapted = _adapted(model, names, rows)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(statement, adapted)
        else:
            columns = [field.column for field in _fields(model, names)]
            objects = [dict(zip(columns, row, strict=True)) for row in adapted]
            cursor.execute(statement, [msgspec.json.encode(objects).decode()])


# ---- statements --------------------------------------------------------------------------------------


@cache
def _insert(vendor: str, model: Model, names: Names) -> str:
    return f"INSERT INTO {_table(model)} ({', '.join(_columns(model, names))}) {_given(vendor, model, names)}"


@cache
def _upsert(vendor: str, model: Model, names: Names, unique: Names, replace: Names, add: Names) -> str:
    sets = [f"{column} = excluded.{column}" for column in _columns(model, replace)]
    sets += [f"{column} = {_table(model)}.{column} + excluded.{column}" for column in _columns(model, add)]
    then = f"DO UPDATE SET {', '.join(sets)}" if sets else "DO NOTHING"
    return f"{_insert(vendor, model, names)} ON CONFLICT ({', '.join(_columns(model, unique))}) {then}"


@cache
def _update(vendor: str, model: Model, names: Names, raise_by_one: str, only_if: str) -> str:
    *columns, key = _columns(model, names)
    table = _table(model)
    value = "%s" if vendor == "sqlite" else "v.{}"
    sets = [f"{column} = {value.format(column)}" for column in columns]
    sets += [
        f"{counter} = {table}.{counter} + 1" for counter in _columns(model, (raise_by_one,)) if raise_by_one
    ]
    where = f"{table}.{key} = {value.format(key)}"
    where += "".join(f" AND {table}.{column}" for column in _columns(model, (only_if,)) if only_if)
    source = "" if vendor == "sqlite" else f" FROM ({_given(vendor, model, names)}) v"
    return f"UPDATE {table} SET {', '.join(sets)}{source} WHERE {where}"  # noqa: S608


def _given(vendor: str, model: Model, names: Names) -> str:
    """The rows: parameters of a row for SQLite, one JSON array of objects for PostgreSQL."""
    if vendor == "sqlite":
        return f"VALUES ({', '.join(['%s'] * len(names))})"
    columns = [
        f"{column} {field.db_type(connection)}"
        for field, column in zip(_fields(model, names), _columns(model, names), strict=True)
    ]
    return f"SELECT * FROM json_to_recordset(%s::json) AS given({', '.join(columns)})"  # noqa: S608


def _table(model: Model) -> str:
    return f'"{model._meta.db_table}"'


def _columns(model: Model, names: Names) -> list[str]:
    return [f'"{field.column}"' for field in _fields(model, tuple(filter(None, names)))]


@cache
def _fields(model: Model, names: Names) -> tuple[models.Field, ...]:
    return tuple(model._meta.get_field(name) for name in names)  # type: ignore[misc]


# ---- values ------------------------------------------------------------------------------------------


def _adapted(model: Model, names: Names, rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Python values as the database of this connection takes them: column by column, where it needs doing."""
    adapted = [list(row) for row in rows]
    for index, prepare in _preparers(model, names, connection.vendor):
        for row in adapted:
            if row[index] is not None:
                row[index] = prepare(row[index])
    return adapted


@cache
def _preparers(model: Model, names: Names, vendor: str) -> list[tuple[int, Callable[[Any], Any]]]:
    by_type: dict[type[models.Field], Callable[[Any], Any]] = {EncryptedTextField: encrypt}
    if vendor == "sqlite":
        by_type |= {models.DateTimeField: _moment, models.UUIDField: _hex, models.JSONField: _json}
    found = ((index, by_type.get(type(field))) for index, field in enumerate(_fields(model, names)))
    return [(index, prepare) for index, prepare in found if prepare]


def _json(value: Any) -> str:
    return "[]" if value == [] else json.dumps(value)


def _moment(value: datetime) -> str:
    """As Django writes it for SQLite."""
    return str(value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None))


def _hex(value: UUID) -> str:
    return value.hex
