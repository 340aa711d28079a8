"""Celery for real: children, parents and brokers are shot in mid-sweep, beats doubled.  Reading goes on, and the books agree.

Upstream is a simulator in this process that takes its time, so that whoever is shot is shot in the middle of a sweep.
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from sessions_app.simulator.testing import RunningSimulator, running_simulator
from tests.support.environment import ROOT
from tests.support.floor import Floor

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SLOW_S = 1.2
RESUMES_WITHIN_S = 120.0
"""Mostly a few seconds; a worker that comes back from a lost broker and consumes nothing is replaced after 75 s."""
DISAGREEING = """
SELECT COUNT(*) FROM sessions_app_agentsession s WHERE COALESCE(s.total_cost_microusd, 0) <>
  COALESCE((SELECT SUM(c.total_microusd) FROM sessions_app_costhour c WHERE c.session_id = s.id), 0)
"""
SEEN = """status_code || '/' || step_count || '/' || COALESCE(llm_cost_microusd, '') || '/'
  || COALESCE(proxy_cost_microusd, '') || '/' || COALESCE(browser_cost_microusd, '') || '/'
  || COALESCE(total_cost_microusd, '') || '/' || tokens_in || '/' || tokens_out"""
DOUBLED = f"""
SELECT COUNT(*) FROM (
  SELECT {SEEN} AS now, LAG({SEEN}) OVER (PARTITION BY session_id ORDER BY at_ms) AS before
  FROM sessions_app_snapshot
) WHERE before = now
"""


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(sessions=30, speed=20) as running:
        yield running


@pytest.fixture(scope="module")
def own_floor(sim: RunningSimulator) -> Iterator[Floor]:
    with Floor({"BROWSER_USE_BASE_URL": sim.base_url, "BROWSER_USE_API_KEY": sim.key}) as running:
        eventually(lambda: len(sweeps(sim)) > 2)
        sim.faults.set({"kind": "slow", "seconds": SLOW_S, "path": "/sessions"})
        yield running


def eventually(look: Callable[[], bool], within_s: float = RESUMES_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.2)


def sweeps(sim: RunningSimulator) -> list[float]:
    """When page 1 was asked for: a sweep began."""
    return [
        one["time"]
        for one in list(sim.requests)
        if one["path"].endswith("/sessions") and one["method"] == "GET" and "page=1&" in one["query"] + "&"
    ]


def in_the_middle_of_a_sweep(sim: RunningSimulator) -> None:
    """Until one has just begun; it takes a while."""
    before = len(sweeps(sim))
    eventually(lambda: len(sweeps(sim)) > before)


def it_goes_on(sim: RunningSimulator, floor: Floor) -> None:
    """Further sweeps begin and are finished, everything upstream is known, and the books agree."""
    sim.requests.clear()
    eventually(lambda: len(sweeps(sim)) >= 3)
    sim.faults.clear()
    eventually(lambda: all_is_known(sim, floor))
    assert ask(floor, DISAGREEING) == 0, "a cost was booked twice, or lost"
    assert ask(floor, DOUBLED) == 0, "a snapshot was written twice"
    sim.faults.set({"kind": "slow", "seconds": SLOW_S, "path": "/sessions"})


def all_is_known(sim: RunningSimulator, floor: Floor) -> bool:
    """What has ended upstream stands here with its last total."""
    listed = httpx.get(f"{sim.base_url}/sessions?page_size=100", headers=sim.headers, timeout=10).json()
    ended = {
        one["id"]: one["totalCostUsd"] for one in listed["sessions"] if one["status"] in {"stopped", "error"}
    }
    with closing(sqlite3.connect(floor.data_dir / "watchfloor.sqlite3", timeout=20)) as database:
        rows = dict(database.execute("SELECT uuid, total_cost_microusd FROM sessions_app_agentsession"))
    return bool(ended) and all(
        rows.get(uuid.replace("-", "")) == round(float(total) * 1_000_000) for uuid, total in ended.items()
    )


def ask(floor: Floor, question: str) -> int:
    with closing(sqlite3.connect(floor.data_dir / "watchfloor.sqlite3", timeout=20)) as database:
        return database.execute(question).fetchone()[0]


def children_of(pid: int) -> list[int]:
    lines = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [map(int, line.split()) for line in lines.splitlines()]
    return [child for child, parent in pairs if parent == pid]


@pytest.mark.parametrize("round_", range(3))
def test_children_that_are_shot_in_mid_sweep(own_floor: Floor, sim: RunningSimulator, round_: int) -> None:
    in_the_middle_of_a_sweep(sim)
    children = children_of(own_floor.pids()["poller"])
    assert children
    for child in children:
        os.kill(child, signal.SIGKILL)
    it_goes_on(sim, own_floor)


def test_a_parent_that_is_shot_in_mid_sweep(own_floor: Floor, sim: RunningSimulator) -> None:
    in_the_middle_of_a_sweep(sim)
    pid = own_floor.pids()["poller"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: own_floor.pids().get("poller", pid) != pid)
    it_goes_on(sim, own_floor)


def test_a_broker_that_is_shot(own_floor: Floor, sim: RunningSimulator) -> None:
    in_the_middle_of_a_sweep(sim)
    pid = own_floor.pids()["valkey"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: own_floor.pids().get("valkey", pid) != pid)
    it_goes_on(sim, own_floor)


def test_a_broker_that_is_restarted_in_order(own_floor: Floor, sim: RunningSimulator) -> None:
    in_the_middle_of_a_sweep(sim)
    pid = own_floor.pids()["valkey"]
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: own_floor.pids().get("valkey", pid) != pid)
    it_goes_on(sim, own_floor)


def test_a_broker_that_freezes_for_a_while(own_floor: Floor, sim: RunningSimulator) -> None:
    in_the_middle_of_a_sweep(sim)
    pid = own_floor.pids()["valkey"]
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(8)
    finally:
        os.kill(pid, signal.SIGCONT)
    it_goes_on(sim, own_floor)


def test_two_beats_sweep_nothing_twice_at_once(own_floor: Floor, sim: RunningSimulator) -> None:
    pid = own_floor.pids()["beat"]
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    environ = dict(
        entry.split("=", 1)
        for entry in Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        if "=" in entry
    )
    assert re.search("beat", " ".join(command)) and command[0].startswith(str(Path(sys.prefix)))
    second = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        sim.requests.clear()
        eventually(lambda: len(sweeps(sim)) >= 6)
        assert second.poll() is None, "it stands by"
        began = sweeps(sim)
        assert all(later - earlier >= SLOW_S for earlier, later in pairwise(began)), "swept twice at once"
        os.kill(pid, signal.SIGKILL)  # whoever takes over, there is one timetable
        it_goes_on(sim, own_floor)
    finally:
        second.kill()
        second.wait()
