"""Many rows at once: one prepared statement, executed for all.

The ORM's `bulk_create` and `bulk_update` build a new statement of thousands of parameters each time; for the
sweep's writes that costs several times more than the writing itself (`make bench ONLY=3`).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection, models


@cache
def _columns(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[models.Field, ...]:
    return tuple(model._meta.get_field(name) for name in names)  # type: ignore[misc]


def _adapted(
    model: type[models.Model], names: tuple[str, ...], rows: Iterable[Sequence[Any]]
) -> list[list[Any]]:
    """Python values as the database of this connection takes them."""
    fields = _columns(model, names, connection.vendor)
    prepare = [_preparer(field) for field in fields]
    return [[p(value) if p else value for p, value in zip(prepare, row, strict=True)] for row in rows]


def _preparer(field: models.Field) -> Any:
    """What turns a value of `field` into a parameter; None where the driver takes it as it is."""
    if isinstance(field, models.UUIDField | models.DateTimeField | models.JSONField) or field.model is None:
        return lambda value: field.get_db_prep_save(value, connection)
    return field.get_prep_value if _is_encrypted(field) else None


def _is_encrypted(field: models.Field) -> bool:
    return type(field).__name__ == "EncryptedTextField"


def _quoted(names: Iterable[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in names]


def _names(model: type[models.Model], names: tuple[str, ...]) -> list[str]:
    return _quoted(str(field.column) for field in _columns(model, names, connection.vendor))


def _execute_many(statement: str, rows: list[list[Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def upsert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    unique: Sequence[str],
    replace: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert `rows` (values in the order of `names`); where `unique` stands already, `replace` these columns
    and `add` to those; with neither, the row that stands stays."""
    table = connection.ops.quote_name(model._meta.db_table)
    columns = _names(model, tuple(names))
    sets = [f"{c} = excluded.{c}" for c in _names(model, tuple(replace))]
    sets += [f"{c} = {table}.{c} + excluded.{c}" for c in _names(model, tuple(add))]
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(_names(model, tuple(unique)))}) "
        + (f"DO UPDATE SET {', '.join(sets)}" if sets else "DO NOTHING")
    )
    _execute_many(statement, _adapted(model, tuple(names), rows))


def update(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    raise_by_one: str = "",
    only_if: str = "",
) -> None:
    """Set the columns `names` of rows by their primary key: each of `rows` is the values and then the key.

    `raise_by_one`: a counter that goes up as well; `only_if`: a column that must be true.
    """
    key = str(model._meta.pk.attname)
    sets = [f"{column} = %s" for column in _names(model, tuple(names))]
    if raise_by_one:
        [counter] = _quoted([raise_by_one])
        sets.append(f"{counter} = {counter} + 1")
    wheres = [f"{_quoted([key])[0]} = %s", *_quoted([only_if] if only_if else [])]
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"UPDATE {table} SET {', '.join(sets)} WHERE {' AND '.join(wheres)}"  # noqa: S608
    _execute_many(statement, _adapted(model, (*names, model._meta.pk.name), rows))
