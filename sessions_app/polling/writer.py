"""Many rows at once: one prepared statement, executed for all.

The ORM's `bulk_create` and `bulk_update` build a new statement of thousands of parameters each time; for the
sweep's writes that costs several times more than the writing itself (`make bench ONLY=3`).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from sessions_app.models.fields import EncryptedTextField, encrypt

type Rows = Iterable[Sequence[Any]]


def upsert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Rows,
    *,
    unique: Sequence[str],
    replace: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert `rows` (values in the order of `names`); where `unique` stands already, `replace` these columns
    and `add` to those; with neither, the row that stands stays."""
    statement = _upsert(model, tuple(names), tuple(unique), tuple(replace), tuple(add))
    _execute_many(statement, _adapted(model, tuple(names), rows))


def update(
    model: type[models.Model],
    names: Sequence[str],
    rows: Rows,
    *,
    raise_by_one: str = "",
    only_if: str = "",
) -> None:
    """Set the columns `names` of rows by their primary key: each of `rows` is the values and then the key.

    `raise_by_one`: a counter that goes up as well; `only_if`: a column that must be true.
    """
    statement = _update(model, tuple(names), raise_by_one, only_if)
    _execute_many(statement, _adapted(model, (*names, model._meta.pk.name), rows))


@cache
def _upsert(
    model: type[models.Model],
    names: tuple[str, ...],
    unique: tuple[str, ...],
    replace: tuple[str, ...],
    add: tuple[str, ...],
) -> str:
    table = _quoted(model._meta.db_table)
    sets = [f"{column} = excluded.{column}" for column in _columns(model, replace)]
    sets += [f"{column} = {table}.{column} + excluded.{column}" for column in _columns(model, add)]
    columns = _columns(model, names)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(_columns(model, unique))}) "
        + (f"DO UPDATE SET {', '.join(sets)}" if sets else "DO NOTHING")
    )


@cache
def _update(model: type[models.Model], names: tuple[str, ...], raise_by_one: str, only_if: str) -> str:
    sets = [f"{column} = %s" for column in _columns(model, names)]
    if raise_by_one:
        sets.append(f"{_quoted(raise_by_one)} = {_quoted(raise_by_one)} + 1")
    [key] = _columns(model, (model._meta.pk.name,))
    where = f"{key} = %s" + (f" AND {_quoted(only_if)}" if only_if else "")
    return f"UPDATE {_quoted(model._meta.db_table)} SET {', '.join(sets)} WHERE {where}"  # noqa: S608


def _quoted(name: str) -> str:
    return f'"{name}"'


def _columns(model: type[models.Model], names: tuple[str, ...]) -> list[str]:
    return [_quoted(str(field.column)) for field in _fields(model, names)]


@cache
def _fields(model: type[models.Model], names: tuple[str, ...]) -> tuple[models.Field, ...]:
    return tuple(model._meta.get_field(name) for name in names)  # type: ignore[misc]


def _adapted(model: type[models.Model], names: tuple[str, ...], rows: Rows) -> list[list[Any]]:
    """Python values as the database of this connection takes them: column by column, where it needs doing."""
    adapted = [list(row) for row in rows]
    for index, prepare in _preparers(model, names, connection.vendor):
        for row in adapted:
            if row[index] is not None:
                row[index] = prepare(row[index])
    return adapted


@cache
def _preparers(
    model: type[models.Model], names: tuple[str, ...], vendor: str
) -> list[tuple[int, Callable[[Any], Any]]]:
    by_type: dict[type[models.Field], Callable[[Any], Any]] = {
        models.JSONField: _json,
        EncryptedTextField: encrypt,
    }
    if vendor == "sqlite":
        by_type |= {models.DateTimeField: _moment, models.UUIDField: _hex}
    found = ((index, by_type.get(type(field))) for index, field in enumerate(_fields(model, names)))
    return [(index, prepare) for index, prepare in found if prepare]


def _json(value: Any) -> str:
    return "[]" if value == [] else json.dumps(value)


def _moment(value: datetime) -> str:
    """As Django writes it for SQLite."""
    return str(value.astimezone(UTC).replace(tzinfo=None))


def _hex(value: UUID) -> str:
    return value.hex


def _execute_many(statement: str, rows: list[list[Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
