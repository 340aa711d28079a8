"""A house of its own for a bench: settings, an empty database, a broker."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from tests.support.environment import isolate
from tests.support.valkey import running_valkey


@contextmanager
def furnished() -> Iterator[None]:
    """Django on an empty database (DATABASE_URL, else SQLite) with a real Valkey, in this process."""
    url = os.environ.get("DATABASE_URL", "")
    data_dir = isolate()
    if url:
        os.environ["DATABASE_URL"] = url
    os.environ["LOG_LEVEL"] = "ERROR"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    with running_valkey(Path(data_dir)):
        yield
