"""All of a page's figures from one moment: a sweep that commits between two queries must not make them differ."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """Queries inside see the database as it was at the first of them.  They must only read.

    SQLite: a deferred transaction, which in WAL mode holds up no writer (Django's own would be IMMEDIATE and take
    the write lock).  Inside an open transaction nothing more can be done, and nothing is.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
