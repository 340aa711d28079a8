"""Fixtures for everybody.  conftest.py loads this file."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

from sessions_app.queries import recent
from tests.support import chromium
from tests.support.environment import ROOT, TEST_DATABASE_URL
from tests.support.floor import ADMIN, PASSWORD, Floor
from tests.support.postgres import NoPostgres, running_postgres
from tests.support.valkey import running_valkey

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# ---- broker and cache ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[redis.Redis]:
    """One real Valkey per test process, at settings.REDIS_URL."""
    with running_valkey(Path(os.environ["DATA_DIR"])) as client:
        yield client


@pytest.fixture
def valkey(valkey_server: redis.Redis) -> redis.Redis:
    """A client (bytes) to an empty Valkey at settings.REDIS_URL."""
    valkey_server.flushall()
    return valkey_server


@pytest.fixture(autouse=True)
def _broker_for_the_app(request: pytest.FixtureRequest) -> None:
    """Tests of the app have a real, empty Valkey without asking: the cache and the stream are part of it."""
    if request.node.path.is_relative_to(ROOT / "tests" / "app"):
        request.getfixturevalue("valkey")


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a test show what is in its database now, not a second ago."""
    monkeypatch.setattr(recent, "KEPT_S", 0)
    from sessions_app.costs import bookkeeper  # have models: only once Django stands
    from sessions_app.queries import kinds

    bookkeeper.forget()
    kinds.forget()


# ---- PostgreSQL ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """DATABASE_URL of a real, throw-away PostgreSQL, for tests that start processes or connect themselves."""
    if url := os.environ.get(TEST_DATABASE_URL):
        yield url
        return
    try:
        with running_postgres() as url:
            yield url
    except NoPostgres as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL here: {error}")


# ---- the whole floor -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def floor() -> Iterator[Floor]:
    """Everything, as `make run` starts it, on the simulator.  Shared: a test that breaks it starts its own."""
    with Floor() as running:
        yield running


# ---- browser ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_browser() -> "Iterator[Browser]":
    """A headless Chromium.  Only in the browser tests' own process: it leaves an event loop running."""
    from playwright.sync_api import sync_playwright

    path = chromium.find()
    if not path:
        pytest.skip("no Chromium here: python -m tests.support.chromium fetches one")
    with sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses its sandbox to root
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium_browser: "Browser", request: pytest.FixtureRequest, shots: "Shots") -> "Iterator[Page]":
    """A page in a context of its own (1280 × 800), nobody signed in.  If the test fails it leaves a picture."""
    context = chromium_browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    page = context.new_page()
    yield page
    if getattr(request.node, "failed", False):
        shots.take(page, "failed")
    context.close()


@pytest.fixture
def signed_in(page: "Page", floor: Floor) -> "Page":
    """`page`, with the admin signed in on `floor`."""
    sign_in(page, floor.url)
    return page


@pytest.fixture
def visit(chromium_browser: "Browser") -> "Iterator[Callable[..., Page]]":
    """`visit(url, username=…, viewport=…, …)`: somebody in a browser of their own, signed in there."""
    contexts = []

    def visit(url: str, username: str = ADMIN, **how: Any) -> "Page":
        contexts.append(chromium_browser.new_context(**how))
        contexts[-1].set_default_timeout(60_000)
        page = contexts[-1].new_page()
        sign_in(page, url, username)
        return page

    yield visit
    for context in contexts:
        context.close()


def sign_in(page: "Page", url: str, username: str = ADMIN, password: str = PASSWORD) -> None:
    """Through the form, as people do."""
    page.goto(f"{url}/accounts/login/")
    page.fill("input[name=login], input[name=username]", username)
    page.fill("input[name=password]", password)
    page.locator("form:has(input[name=password]) [type=submit]").first.click()
    page.wait_for_url(lambda address: "/accounts/login" not in address)


class Shots:
    """Pictures of a test, in .artifacts/e2e (printed at the end of the run)."""

    directory = ROOT / ".artifacts" / "e2e"

    def __init__(self, test: str) -> None:
        self._stem, self._number = re.sub(r"[^\w]+", "-", test).strip("-"), 0

    def take(self, page: "Page", name: str, *, full_page: bool = False) -> Path:
        """Save what `page` shows as <test>-<n>-<name>.png."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._number += 1
        path = self.directory / f"{self._stem}-{self._number}-{name}.png"
        page.screenshot(path=path, full_page=full_page)
        return path


@pytest.fixture
def shots(request: pytest.FixtureRequest) -> Shots:
    return Shots(request.node.name)
