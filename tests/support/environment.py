"""A clean environment for tests.  Imported before Django: nobody's key, database or DATA_DIR leaks in."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from dashboard.processes.layout import embedded_redis_url

ROOT = Path(__file__).resolve().parents[2]
#: `python -m tests.support.postgres` sets this for the second pass.
TEST_DATABASE_URL = "WATCHFLOOR_TEST_DATABASE_URL"
PRODUCT_VARIABLES = (
    "PORT", "HOST", "DATA_DIR", "BROWSER_USE_API_KEY", "BROWSER_USE_BASE_URL", "LIVE_VIEW_ORIGINS",
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "ENCRYPTION_KEYS", "ALLOWED_HOSTS",
    "DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_PASSWORD", "DJANGO_SUPERUSER_EMAIL", "UPSTREAM_PROXY",
    "DEBUG", "METRICS_TOKEN", "LOG_LEVEL", "CSRF_TRUSTED_ORIGINS", "SECURE_COOKIES", "SECURE_PROXY_SSL",
    "WATCHFLOOR_SIMULATOR", "WATCHFLOOR_SIMULATOR_SESSIONS", "WATCHFLOOR_SIMULATOR_SPEED",
    "WATCHFLOOR_SIMULATOR_SEED", "HISTORY_FULL_DAYS", "HISTORY_FINE_DAYS", "PICTURES_DAYS", "PICTURES_MAX_MB",
    "PICTURES_LEAVE_FREE_MB", "BULK_STOP_MOST", "EMAIL_URL", "EMAIL_FROM", "PUBLIC_URL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS",
)  # fmt: skip


def clean_environ() -> dict[str, str]:
    """Our environment without anything that would steer the product."""
    return {name: value for name, value in os.environ.items() if name not in PRODUCT_VARIABLES}


def temporary_dir() -> Path:
    """A directory of this process (short: it holds Unix sockets), gone when the process ends."""
    path = Path(tempfile.mkdtemp(prefix="wf-"))
    atexit.register(_remove, path, os.getpid())
    return path


def _remove(path: Path, owner: int) -> None:
    """A forked child runs our exit handlers, too: once one took the broker's socket away from under its parent."""
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def isolate() -> Path:
    """Point the settings at a throw-away DATA_DIR, and at nothing of the user's.  Returns it."""
    for name in PRODUCT_VARIABLES:
        os.environ.pop(name, None)
    data_dir = temporary_dir()
    os.environ |= {
        "DATA_DIR": str(data_dir),
        "REDIS_URL": embedded_redis_url(data_dir),
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
    }
    if url := os.environ.get(TEST_DATABASE_URL):
        os.environ["DATABASE_URL"] = url
    return data_dir
