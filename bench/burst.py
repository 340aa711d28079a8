"""A burst of 500 changes on an open page: the longest task of the browser's main thread, with a CPU slowed four times.

Beside it what a page costs that fetches itself, as `hx-trigger="every 2s"` does: one swap of everything that it shows.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connections
from playwright.sync_api import Page, sync_playwright

from bench.harness import Row
from bench.push_house import Furniture, Side, change, furnish, server
from sessions_app.models import AgentSession
from tests.support import chromium

SESSIONS, CHANGES, SLOWED = 60, 500, 4
PATHS = {"list": "/?view=list", "wall": "/?view=wall"}
PATIENCE_MS = 60_000

LISTEN = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: "longtask" });
}"""
IS_SHOWN = """(versions) => Object.entries(versions).every(
  ([uuid, version]) => document.querySelector(`[data-session-id="${uuid}"]`)?.dataset.version === version)"""
SWAP = """() => htmx.ajax("GET", location.href, { target: "main", select: "main", swap: "outerHTML" })"""
TAKE = """() => new Promise((done) => setTimeout(() => done(window.tasks.splice(0)), 500))"""


class Tasks(NamedTuple):
    """Of more than 50 ms, which is when Chromium calls one long.  `longest_ms` 0 when there was none."""

    longest_ms: float
    count: int


def rows(database: str) -> Iterator[Row]:
    path = chromium.find()
    if path is None:
        yield Row(
            "burst", "long tasks", "", None, "", None, "not measured: python -m tests.support.chromium first"
        )
        return
    given = furnish(SESSIONS)
    with (
        server("page") as side,
        ThreadPoolExecutor(1) as elsewhere,
    ):  # Playwright's loop forbids the database here
        for name, address in PATHS.items():
            with _opened(path, side, given, address) as page:
                versions = elsewhere.submit(_burst, given).result()
                page.wait_for_function(IS_SHOWN, arg=versions, timeout=PATIENCE_MS)
                pushed = _taken(page)
                page.evaluate(SWAP)
                yield _row(name, pushed, _taken(page))


def _row(name: str, pushed: Tasks, swapped: Tasks) -> Row:
    what = (
        f"{name}, {CHANGES} changes of {SESSIONS} rows; fetched and swapped once {swapped.longest_ms:.0f} ms"
    )
    number = f"{pushed.longest_ms:.0f} ms, {pushed.count} above 50"
    return Row("burst", what, number, pushed.longest_ms / max(1.0, swapped.longest_ms), "", None)


def _burst(given: Furniture) -> dict[str, str]:
    """As fast as they can be written; the versions that the page must come to show."""
    for number in range(CHANGES):
        change(given.sessions[number % len(given.sessions)])
    found = AgentSession.objects.values_list("uuid", "version")
    versions = {str(uuid): str(version) for uuid, version in found}
    connections.close_all()
    return versions


def _taken(page: Page) -> Tasks:
    tasks = page.evaluate(TAKE)
    return Tasks(max(tasks, default=0.0), len(tasks))


@contextmanager
def _opened(executable: str, side: Side, given: Furniture, address: str) -> Iterator[Page]:
    """That page, pushed to, and idle."""
    origin = f"http://127.0.0.1:{side.port}"
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=sandbox)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": given.cookie, "url": origin}])
        page = context.new_page()
        page.goto(origin + address)
        page.locator("html[data-push=live]").wait_for(state="attached", timeout=PATIENCE_MS)
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        page.evaluate(LISTEN)
        _taken(page)
        yield page
        browser.close()
