"""kill -9 of each process of a running floor: it comes back by itself, reads on, and forgets nothing."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.support.floor import Floor

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

FRESH_S = 10.0


@pytest.fixture(scope="module")
def own_floor() -> Iterator[Floor]:
    with Floor({"WATCHFLOOR_SIMULATOR_SESSIONS": "20"}) as running:
        eventually(lambda: polled_lately(running), within_s=60)
        yield running


def polled_lately(floor: Floor) -> bool:
    """Ready, with every account read within the last FRESH_S seconds."""
    status, body = floor.get("/readyz")
    if status != 200:
        return False
    ages = [account["age_s"] for account in json.loads(body)["parts"]["polling"]["accounts"]]
    return bool(ages) and all(age is not None and age < FRESH_S for age in ages)


def sessions_known(floor: Floor) -> int:
    """How many sessions the database holds, ended ones too."""
    with closing(sqlite3.connect(floor.data_dir / "watchfloor.sqlite3", timeout=20)) as database:
        return database.execute("SELECT COUNT(*) FROM sessions_app_agentsession").fetchone()[0]


def eventually(look: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            if look():
                return
        except OSError:
            pass  # the web is just being replaced
        assert time.monotonic() < deadline, "the floor did not come back"
        time.sleep(0.5)


@pytest.mark.parametrize("name", ["web", "poller", "watcher", "worker", "beat", "valkey", "simulator"])
def test_a_killed_process_is_replaced_and_reading_goes_on(own_floor: Floor, name: str) -> None:
    before = sessions_known(own_floor)
    assert before > 0
    pid = own_floor.pids()[name]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: own_floor.pids().get(name, pid) != pid, within_s=30)
    time.sleep(FRESH_S + 1)  # what was read before the kill is old by now
    eventually(lambda: polled_lately(own_floor), within_s=90)
    assert sessions_known(own_floor) >= before
