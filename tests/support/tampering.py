"""Whoever owns the database can switch the audit's triggers off.  Tests that tamper do, and so does Django's flush."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.db import connection

_migration = import_module("sessions_app.migrations.0012_audit_append_only")


def unguard() -> None:
    """Without the triggers rows can be changed and taken away."""
    _run(_migration.remove)


@contextmanager
def guarded() -> Iterator[None]:
    """The triggers as a migrated database has them."""
    _run(_migration.install)
    try:
        yield
    finally:
        unguard()


def _run(step: Callable[[Any, Any], None]) -> None:
    """Django's own schema editor refuses to work inside a test's transaction on SQLite."""
    with connection.cursor() as cursor:
        step(None, SimpleNamespace(connection=connection, execute=cursor.execute))
