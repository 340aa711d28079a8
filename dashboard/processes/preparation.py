"""Database and static files, made ready in this process (an interpreter start costs a second each) and
only when something changed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str], None]


def prepare_database(say: Say) -> None:
    """Apply missing migrations."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if steps:
        say(f"preparing the database ({len(steps)} migrations)")
        call_command("migrate", interactive=False, verbosity=0)


def prepare_static(root: Path, say: Say) -> None:
    """Collect and compress static files into `root`, if any changed since the last time."""
    from django.core.management import call_command

    stamp, now = root / ".collected", _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return
    say("collecting static files")
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(now, encoding="ascii")


def _fingerprint() -> str:
    """A digest over name, size and time of every static file of every app."""
    from django.contrib.staticfiles.finders import get_finders

    found = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            found.append((name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()
