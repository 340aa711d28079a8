"""Chromium for the browser tests:  python -m tests.support.chromium   prints its path, fetching it if need be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

GIVEN = "WATCHFLOOR_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FETCH_S = 240


def find() -> str | None:
    """A Chromium that is here: named by WATCHFLOOR_CHROMIUM, on the PATH, or Playwright's own."""
    if given := os.environ.get(GIVEN):
        return given
    return next((path for name in NAMES if (path := shutil.which(name))), None) or _playwrights()


def fetch() -> str | None:
    """Playwright's Chromium where the network lets us, else the system's package where we are root."""
    if _quietly([sys.executable, "-m", "playwright", "install", "chromium"]) and (path := _playwrights()):
        return path
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _quietly(["apt-get", "update"])
        _quietly(["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
    return find()


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


def _quietly(command: list[str]) -> bool:
    print(f"trying: {' '.join(command)}", file=sys.stderr)
    try:
        done = subprocess.run(command, timeout=FETCH_S, stdin=subprocess.DEVNULL, capture_output=True)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    path = find() or fetch()
    print(path or "")
    sys.exit(0 if path else 1)
