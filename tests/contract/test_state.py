"""The floor is remembered across restarts."""

import json
from collections import Counter
from pathlib import Path

import httpx
import pytest

from sessions_app.simulator import life, state
from sessions_app.simulator.testing import START_MS, running_simulator
from sessions_app.simulator.world import World

MINUTE = 60_000


def reopened(path: Path, now: int, sessions: int = 40) -> World:
    return state.open_world(path, seed=7, sessions=sessions, speed=1.0, now=now)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, World]:
    world = World.begun(7, 40, 1.0, START_MS)
    world.advance_to(START_MS + 5 * MINUTE)
    path = tmp_path / "floor.json"
    state.write(path, state.encode(world))
    return path, world


def test_a_restart_goes_on_where_it_was(saved: tuple[Path, World]) -> None:
    path, world = saved
    again = reopened(path, world.now_ms)
    assert state.encode(again) == state.encode(world)
    for one in (world, again):
        one.advance_to(START_MS + 15 * MINUTE)
    assert state.encode(again) == state.encode(world)


def test_a_pause_costs_ten_minutes_at_most(saved: tuple[Path, World]) -> None:
    path, world = saved
    before = {session.id: life.total_micros(session) for session in world.sessions.values()}
    again = reopened(path, world.now_ms + 50 * MINUTE)
    world.advance_to(world.now_ms + 10 * MINUTE)
    assert all(life.total_micros(again.sessions[one]) >= micros for one, micros in before.items())
    assert again.spent_micros == world.spent_micros
    assert len(again.live) == len(world.live)
    resumed = again.spent_micros
    again.advance_to(again.now_ms + MINUTE)
    assert 0 < again.spent_micros - resumed < 5_000_000


def test_after_hours_another_shift_is_at_work(saved: tuple[Path, World]) -> None:
    path, world = saved
    left, alive = world.now_ms, set(world.live)
    again = reopened(path, left + 9 * 60 * MINUTE)
    assert {again.sessions[one].status for one in alive} == {"timed_out"}
    assert {again.sessions[one].ended_ms for one in alive} == {left}
    assert not alive & set(again.live)
    assert Counter(s.status for s in again.live_sessions())["running"] > 10
    assert all(left <= s.created_ms <= again.now_ms for s in again.live_sessions())
    assert again.order == sorted(again.order)
    assert {again.sessions[again.cast[part]].role for part in ("loop", "stalled")} == {"loop", "stalled"}
    again.advance_to(again.now_ms + 10 * MINUTE)


def test_a_broken_file_is_put_aside(saved: tuple[Path, World], capsys: pytest.CaptureFixture[str]) -> None:
    path, world = saved
    path.write_bytes(path.read_bytes()[:1000])
    again = reopened(path, world.now_ms)
    assert len(again.live) > 10
    assert "cannot be read" in capsys.readouterr().err
    assert [other.name.partition(".corrupt")[0] for other in path.parent.iterdir()] == [path.name]


def test_stops_are_remembered_over_http(tmp_path: Path) -> None:
    path = tmp_path / "floor.json"
    with running_simulator(sessions=12, clock="manual", state_file=path) as sim:
        session = sim.running_session().id
        httpx.post(
            f"{sim.base_url}/sessions/{session}/stop", headers=sim.headers, json={"strategy": "session"}
        )
    assert json.loads(path.read_bytes())["version"] == 1
    with running_simulator(sessions=12, clock="manual", state_file=path) as sim:
        assert (
            httpx.get(f"{sim.base_url}/sessions/{session}", headers=sim.headers).json()["status"] == "stopped"
        )
