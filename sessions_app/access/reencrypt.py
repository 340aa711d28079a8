"""Everything that rests encrypted, put under the newest key: in small batches, and again from the start at no cost.

There is nothing to remember between runs: a token itself tells which key it rests under.  So a run that was broken
off goes on by being started again, and two at once do no harm.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Cast

from sessions_app.models.fields import EncryptedTextField, decrypt

BATCH = 500
"""Rows a transaction: SQLite's one writer is back at the poller's after some milliseconds."""


class Column(NamedTuple):
    model: type[models.Model]
    name: str

    def __str__(self) -> str:
        return f"{self.model._meta.object_name}.{self.name}"


class Tally(NamedTuple):
    """Of a column, or a part of it: how many values rest under the newest key, were put there, cannot be opened."""

    fresh: int = 0
    moved: int = 0
    lost: int = 0

    def __add__(self, other: Any) -> "Tally":
        return Tally(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def columns() -> list[Column]:
    """Every encrypted column of every model, whoever added it."""
    return [
        Column(model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def reencrypt(column: Column, *, batch: int = BATCH, only_look: bool = False) -> Iterator[Tally]:
    """A tally after each batch, in the order of the primary key.  `only_look` writes nothing: stale ones count as moved."""
    newest, after = Fernet(settings.ENCRYPTION_KEYS[0]), None
    while tokens := _tokens(column, after, batch):
        after = tokens[-1][0]
        stale = [(pk, token) for pk, token in tokens if not _opens(newest, token)]
        yield Tally(fresh=len(tokens) - len(stale)) + _move(column, stale, only_look=only_look)


def _tokens(column: Column, after: Any, batch: int) -> list[tuple[Any, str]]:
    """(primary key, value as it rests) of the next rows that have one."""
    rows = column.model._base_manager.annotate(resting=Cast(column.name, models.TextField()))
    rows = rows.exclude(resting="").filter(resting__isnull=False)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", "resting")[:batch])


def _move(column: Column, stale: list[tuple[Any, str]], *, only_look: bool) -> Tally:
    tally = Tally()
    with transaction.atomic():
        for pk, token in stale:
            text = decrypt(token)
            if not text:
                tally += Tally(lost=1)
            elif only_look or _replace(column, pk, token, text):
                tally += Tally(moved=1)
            else:
                tally += Tally(fresh=1)  # somebody has just written it anew
    return tally


def _replace(column: Column, pk: Any, token: str, text: str) -> bool:
    """Only what still is as it was read: the poller may have written a newer live address in between."""
    rows = column.model._base_manager.annotate(resting=Cast(column.name, models.TextField()))
    return bool(rows.filter(pk=pk, resting=token).update(**{column.name: text}))


def _opens(key: Fernet, token: str) -> bool:
    try:
        key.decrypt(token.encode())
    except (InvalidToken, UnicodeEncodeError):
        return False
    return True
