"""Every test run: a clean environment first, then Django, then the fixtures of tests/support."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.environment import isolate

DATA_DIR = isolate()  # before anything imports the settings

pytest_plugins = ["tests.support.fixtures"]

RUN_ELSEWHERE = {
    # marker → why its tests don't run unless asked for with -m
    "chaos": "make chaos runs it",
    "soak": "make soak runs it",
    "load": "python -m pytest -m load runs it",
}


def pytest_configure(config: pytest.Config) -> None:
    """Settings that tests need otherwise, before Django has looked at them."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        # A file, not memory: threads and processes of a test see the same one.
        database.setdefault("TEST", {})["NAME"] = str(DATA_DIR / "test.sqlite3")
    else:
        database.get("OPTIONS", {}).pop(
            "pool", None
        )  # a pool would keep the test database from being dropped
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 is slow on purpose
    # No manifest here: static files are served as they lie.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """After a transactional test Django empties every table, which the audit's triggers would refuse.  The tests
    of those put them back (tests.support.tampering)."""
    from tests.support.tampering import unguard

    with django_db_blocker.unblock():
        unguard()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Workers inherit our environment.  With this variable in it they would read the settings before they have a
    DATA_DIR of their own, and look for their broker where ours would be."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked_for = config.getoption("markexpr")
    for item in items:
        for marker, why in RUN_ELSEWHERE.items():
            if item.get_closest_marker(marker) and marker not in asked_for:
                item.add_marker(pytest.mark.skip(reason=why))
        if item.get_closest_marker("postgres") and not _on_postgres(item):
            why = "python -m tests.support.postgres python -m pytest … runs it (make test does)"
            item.add_marker(pytest.mark.skip(reason=why))


def _on_postgres(item: pytest.Item) -> bool:
    """Whether Django's database is PostgreSQL, or the test brings its own by the fixture."""
    from django.conf import settings

    fixtures = getattr(item, "fixturenames", ())
    return settings.DATABASES["default"]["ENGINE"].endswith("postgresql") or "postgres_url" in fixtures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Lets fixtures know that their test failed (`page` then takes a picture)."""
    report = yield
    if report.failed:
        item.failed = True
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from tests.support.fixtures import Shots

    if Shots.directory.exists() and not os.environ.get("PYTEST_XDIST_WORKER"):
        pictures = len(list(Shots.directory.glob("*.png")))
        terminalreporter.write_line(f"{pictures} screenshots in {Shots.directory}")
