"""Stops under fire: whatever is shot, frozen or cut off between the click and the proof, none is lost and none lies.

The number of stops in the simulated storm is WATCHFLOOR_STOPS.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import httpx
import pytest
from django.utils import timezone

from dashboard.processes.layout import socket_path
from sessions_app.access import audit
from sessions_app.models import AgentSession, StopRequest
from sessions_app.models.stop import OPEN_STATES
from sessions_app.rules.stopping import MOST_SENDS
from sessions_app.simulator.testing import RunningSimulator, running_simulator
from sessions_app.stopping import work
from sessions_app.stopping.request import request_stop
from sessions_app.types import FINAL_STATUSES, Strategy
from tests.support.environment import ROOT, temporary_dir
from tests.support.floor import ADMIN, PASSWORD, Floor
from tests.support.stage import person, staged
from tests.support.tcp_proxy import TcpProxy
from tests.support.valkey import running_valkey

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

STORM = int(os.environ.get("WATCHFLOOR_STOPS", "150"))
VICTIMS = ("web", "worker", "valkey", "poller", "beat")
DELAYS_S = (0.0, 0.03, 0.2, 1.5)
PROVEN_WITHIN_S = 90.0


def eventually(look: Callable[[], bool], within_s: float = PROVEN_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.2)


class Person:
    """Somebody with a browser, who is signed in."""

    def __init__(self, floor: Floor) -> None:
        self.client = httpx.Client(base_url=floor.url, timeout=20, follow_redirects=False)
        self.client.get("/accounts/login/")
        answer = self._post("/accounts/login/", login=ADMIN, password=PASSWORD)
        assert answer.status_code == 302, answer.text[:500]

    def stop(self, uuid: str, strategy: str) -> bool:
        """Whether the click was answered."""
        with suppress(httpx.HTTPError):
            answer = self._post(f"/sessions/{uuid}/stop/", strategy=strategy, reason="chaos")
            return answer.status_code == 302
        return False

    def answers(self, path: str) -> bool:
        with suppress(httpx.HTTPError):
            return self.client.get(path).status_code == 200
        return False

    def _post(self, path: str, **form: str) -> httpx.Response:
        token = self.client.cookies.get("csrftoken") or ""
        return self.client.post(path, data=form | {"csrfmiddlewaretoken": token})


def stop_of(floor: Floor, uuid: str) -> tuple[str, int] | None:
    """State and number of attempts of the only stop of that session."""
    query = """SELECT s.state, s.attempts_made FROM sessions_app_stoprequest s
        JOIN sessions_app_agentsession a ON a.id = s.session_id WHERE a.uuid = ?"""
    with closing(sqlite3.connect(floor.data_dir / "watchfloor.sqlite3", timeout=20)) as database:
        rows = database.execute(query, [UUID(uuid).hex]).fetchall()
    assert len(rows) <= 1, "two stops for one click"
    return rows[0] if rows else None


def known(floor: Floor, uuids: list[str]) -> bool:
    marks = ",".join("?" * len(uuids))
    query = f"SELECT COUNT(*) FROM sessions_app_agentsession WHERE uuid IN ({marks})"
    with closing(sqlite3.connect(floor.data_dir / "watchfloor.sqlite3", timeout=20)) as database:
        return database.execute(query, [UUID(one).hex for one in uuids]).fetchone()[0] == len(uuids)


def posts(sim: RunningSimulator, uuid: str) -> int:
    return sim.calls("POST", f"/sessions/{uuid}/stop")


# ---- kill -9 -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(sessions=4) as running:
        yield running


@pytest.fixture(scope="module")
def own_floor(sim: RunningSimulator) -> Iterator[Floor]:
    with Floor({"BROWSER_USE_BASE_URL": sim.base_url, "BROWSER_USE_API_KEY": sim.key}) as running:
        yield running


def test_twenty_kills_between_click_and_proof(own_floor: Floor, sim: RunningSimulator) -> None:
    """Each of five processes at four moments.  A click that was answered is an intention that ends well."""
    ana = Person(own_floor)
    plan = [(victim, delay) for delay in DELAYS_S for victim in VICTIMS]
    uuids = [str(sim.running_session(keep_alive=True, pace_ms=60_000).id) for _ in plan]
    eventually(lambda: known(own_floor, uuids))
    answered = []
    for (victim, delay), uuid in zip(plan, uuids, strict=True):
        eventually(lambda v=victim: v in own_floor.pids())  # type: ignore[misc]
        pid = own_floor.pids()[victim]
        shot = threading.Timer(delay, os.kill, (pid, signal.SIGKILL))
        shot.start()
        answered.append(ana.stop(uuid, "session"))
        shot.join()
        eventually(lambda v=victim, p=pid: own_floor.pids().get(v, p) != p)  # type: ignore[misc]
        eventually(lambda: ana.answers("/healthz"))
    for uuid, was_answered in zip(uuids, answered, strict=True):
        assert stop_of(own_floor, uuid) or not was_answered, "an intention was lost"
        if stop_of(own_floor, uuid):
            eventually(lambda u=uuid: (stop_of(own_floor, u) or ("",))[0] == "confirmed")  # type: ignore[misc]
            assert sim.world.sessions[uuid].status == "stopped" and posts(sim, uuid) <= MOST_SENDS
        else:
            assert posts(sim, uuid) == 0, "sent without a record"
    assert sum(answered) >= len(plan) - 2 * len(DELAYS_S), (
        "only whoever shot the web may go without an answer"
    )
    verified = subprocess.run(
        [sys.executable, "manage.py", "verify_audit"],
        cwd=ROOT,
        env=own_floor.environ,
        check=False,
        timeout=120,
    )
    assert verified.returncode == 0


# ---- the broker ----------------------------------------------------------------------------------------


@contextmanager
def floor_behind_a_proxy(sim: RunningSimulator) -> Iterator[tuple[Floor, TcpProxy]]:
    directory = temporary_dir()
    with running_valkey(directory), TcpProxy(to=str(socket_path(directory))) as proxy:
        environ = {
            "BROWSER_USE_BASE_URL": sim.base_url,
            "BROWSER_USE_API_KEY": sim.key,
            "REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0",
        }
        with Floor(environ) as running:
            yield running, proxy
            proxy.mode = "open"


def test_a_broker_that_freezes_resets_or_is_a_black_hole(sim: RunningSimulator) -> None:
    """Stops go out, are proven, and pages answer, all without it; then reading goes on."""
    with floor_behind_a_proxy(sim) as (floor, proxy):
        ana = Person(floor)
        modes = ("frozen", "reset", "black hole")
        uuids = [str(sim.running_session(keep_alive=True, pace_ms=60_000).id) for _ in modes]
        eventually(lambda: known(floor, uuids))
        for mode, uuid in zip(modes, uuids, strict=True):
            proxy.mode = mode
            time.sleep(1)
            assert ana.stop(uuid, "session"), f"{mode}: the click was not answered"
            assert ana.answers("/") and ana.answers("/stops/"), f"{mode}: pages do not answer"
            eventually(lambda u=uuid: (stop_of(floor, u) or ("",))[0] == "confirmed")  # type: ignore[misc]
            assert sim.world.sessions[uuid].status == "stopped"
            proxy.mode = "open"
        fresh = str(sim.running_session(keep_alive=True, pace_ms=60_000).id)
        eventually(lambda: known(floor, [fresh]), within_s=120)


# ---- a storm -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_storm_of_stops_while_answers_are_lost(valkey: object) -> None:
    """30% of answers dropped, half of them after the effect; effects up to two minutes late.  Simulated time."""
    dice = Random(11)
    path = "/sessions/*/stop"
    faults = [
        {"kind": "drop", "path": path, "probability": 0.15},
        {"kind": "stop_drops_after_effect", "probability": 0.15},
        *({"kind": "stop_delayed", "seconds": seconds, "probability": 0.1} for seconds in (2, 20, 60, 120)),
    ]
    with staged() as stage:
        ana = person("ana", "operator")
        sessions = [stage.running_session(keep_alive=True, pace_ms=600_000) for _ in range(STORM)]
        stage.sim.faults.set(*faults)
        strategies = [dice.choice(list(Strategy)) for _ in sessions]
        for session, strategy in zip(sessions, strategies, strict=True):
            work.try_now(request_stop(session, strategy, ana, "", timezone.now()).stop)
        effect: dict[int, datetime] = {}
        while StopRequest.objects.filter(state__in=OPEN_STATES).exists():
            stage.advance(1)
            _note_effects(stage, sessions, strategies, effect)
            while work.work_due(most=1_000):
                pass
        assert StopRequest.objects.count() == STORM, "an intention was lost"
        late = _judge(sessions, strategies, effect, stage)
        assert late <= STORM * 0.01, (
            f"{late} of {STORM} were confirmed more than 60 s after the effect, or never"
        )
        assert audit.verify().bad is None


def _is_so(stage, session: AgentSession, strategy: Strategy) -> bool:
    status = stage.upstream(session).status
    return status in FINAL_STATUSES or (strategy == Strategy.TASK and status == "idle")


def _note_effects(stage, sessions, strategies, effect: dict[int, datetime]) -> None:
    for session, strategy in zip(sessions, strategies, strict=True):
        if session.pk not in effect and _is_so(stage, session, strategy):
            effect[session.pk] = timezone.now()


def _judge(sessions, strategies, effect: dict[int, datetime], stage) -> int:
    """How many were confirmed late or not at all; a false claim fails at once."""
    late = 0
    stops = {stop.session_id: stop for stop in StopRequest.objects.all()}
    for session, strategy in zip(sessions, strategies, strict=True):
        stop = stops[session.pk]
        if stop.state in ("confirmed", "moot"):
            assert _is_so(stage, session, strategy), "a false claim"
            assert session.pk in effect and stop.ended_at >= effect[session.pk] - timedelta(seconds=1)
        proven = stop.state in ("confirmed", "moot")
        late += not proven or stop.ended_at - effect[session.pk] > timedelta(seconds=60)
    return late
