"""The world by itself: the same for a seed, legal in every step, exact to the micro-dollar."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.simulator import genesis, life, state, wire
from sessions_app.simulator.model import TRANSITIONS, Session
from sessions_app.simulator.testing import START_MS
from sessions_app.simulator.world import World

MINUTE = 60_000


def begun(seed: int = 7, sessions: int = 60, speed: float = 1.0) -> World:
    return World.begun(seed, sessions, speed, START_MS)


def test_the_floor_is_busy_from_the_start() -> None:
    world = begun()
    alive = Counter(session.status for session in world.live_sessions())
    assert 24 <= alive["running"] <= 30
    assert 6 <= alive["idle"] <= 12
    assert 1 <= alive["created"] <= 5
    assert len(world.order) == 240
    days = {session.created_ms // genesis.DAY for session in world.sessions.values()}
    assert len(days) > 10


def test_two_runaways_one_forgotten_one_near_its_limit() -> None:
    world = begun()
    loop, stalled, parked, near = (
        world.sessions[world.cast[part]] for part in ("loop", "stalled", "parked", "near_cap")
    )
    before = {one.id: (one.steps, life.total_micros(one)) for one in (loop, stalled)}
    world.advance_to(START_MS + 10 * MINUTE)
    steps, micros = (
        now - then for now, then in zip((loop.steps, life.total_micros(loop)), before[loop.id], strict=True)
    )
    assert loop.summary == "Clicking 'Load more'"
    assert steps > 150
    assert micros / 10 > 4 * 0.1e6  # its model's ordinary rate is about $0.13 a minute
    assert before[stalled.id] == (stalled.steps, life.total_micros(stalled))
    assert stalled.status == "running"
    assert world.now_ms - stalled.updated_ms > 20 * MINUTE
    assert (parked.status, parked.updated_ms > START_MS) == ("idle", True)
    assert near.max_cost_micros is not None
    assert near.max_cost_micros * 85 // 100 <= life.total_micros(near)


def test_stopped_runaways_are_followed_by_others() -> None:
    world = begun()
    first = {part: world.cast[part] for part in ("loop", "stalled", "parked", "near_cap")}
    for session_id in first.values():
        world.request_stop(world.sessions[session_id], "session")
    world.advance_to(START_MS + 15 * MINUTE)
    for part, session_id in first.items():
        assert world.cast[part] != session_id
        assert world.sessions[world.cast[part]].role == part


def snapshot(world: World) -> bytes:
    return state.encode(world)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), stops=st.lists(st.integers(1, 8 * MINUTE), max_size=12))
def test_a_seed_decides_everything_however_often_it_is_read(seed: int, stops: list[int]) -> None:
    at_once, in_pieces = begun(seed, 24), begun(seed, 24)
    for moment in sorted(stops):
        in_pieces.advance_to(START_MS + moment)
    for world in (at_once, in_pieces):
        world.advance_to(START_MS + 10 * MINUTE)
    assert snapshot(at_once) == snapshot(in_pieces)


def test_seeds_differ() -> None:
    assert not set(begun(1, 24).sessions) & set(begun(2, 24).sessions)


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_a_long_run_is_legal_and_monotonous(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight hours: documented transitions only (`become` raises otherwise), nothing ever falls, nothing is in the future."""
    world = begun(11, 40, speed)
    seen: dict[str, tuple[int, int, int, int]] = {}
    moves: Counter[tuple[str, str]] = Counter()
    plain = life.become

    def watched(world: World, session: Session, status: str, at: int) -> None:
        moves[session.status, status] += 1
        plain(world, session, status, at)

    monkeypatch.setattr(life, "become", watched)
    for minute in range(0, int(480 / speed), 2):
        world.advance_to(START_MS + minute * MINUTE)
        assert 15 <= len(world.live) <= 45
        for session in world.sessions.values():
            now = (session.updated_ms, session.steps, life.total_micros(session), session.tokens_in)
            assert all(new >= old for new, old in zip(now, seen.get(session.id, (0, 0, 0, 0)), strict=True))
            assert session.created_ms <= session.updated_ms <= world.now_ms
            assert session.success is None or session.status != "running"
            seen[session.id] = now
    assert all(after in TRANSITIONS[before] for before, after in moves)
    assert {
        ("idle", "running"),
        ("running", "idle"),
        ("idle", "stopped"),
        ("running", "error"),
        ("running", "timed_out"),
    } <= set(moves)


def test_speed_scales_work_and_money() -> None:
    def spent(speed: float) -> int:
        world = begun(3, 60, speed)
        world.advance_to(START_MS + 10 * MINUTE)
        return world.spent_micros

    assert 6 < spent(10) / spent(1) < 14


def test_a_large_output_and_a_structured_one_are_on_the_list() -> None:
    world = begun()
    visit = wire.Visit("http://127.0.0.1", world.now_ms, 1)
    outputs = [wire.session(world, session, visit)["output"] for session in world.sessions.values()]
    assert any(isinstance(output, str) and len(output) > 200_000 for output in outputs)
    assert any(isinstance(output, dict) for output in outputs)


def test_ten_thousand_start_quickly_and_pages_stay_cheap() -> None:
    import time

    started = time.process_time()
    world = begun(7, 10_000)
    assert time.process_time() - started < 10
    visit = wire.Visit("http://127.0.0.1", world.now_ms, 1)
    started = time.process_time()
    for page in (0, 50, 200, 399):
        assert (
            len([wire.session(world, one, visit, single=False) for one in world.newest(page * 100, 100)])
            == 100
        )
    assert (time.process_time() - started) / 4 < 0.05


def test_the_list_stays_bounded() -> None:
    world = begun(5, 12)
    for _ in range(2_300):
        life.end(world, world.give_birth(world.now_ms), "stopped", world.now_ms)
    assert len(world.order) == len(world.sessions) <= 12 * 12 + 2_000
