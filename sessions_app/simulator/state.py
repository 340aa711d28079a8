"""Save and restore: one JSON file, written beside and renamed, so that it is always whole."""

import sys
from pathlib import Path

import msgspec

from . import genesis, life
from .model import Browser, Session
from .world import World

CATCH_UP_MS = 10 * 60_000  # simulated
LONG_GAP_MS = 60 * 60_000
_VERSION = 1


class Saved(msgspec.Struct):
    version: int
    seed: int
    start_ms: int
    now_ms: int
    born: int
    spent_micros: int
    sessions: list[Session]
    browsers: list[Browser]
    cast: dict[str, str]
    vacant: dict[str, int]
    births: list[int]
    cast_ms: int


def encode(world: World) -> bytes:
    return msgspec.json.encode(
        Saved(
            _VERSION, world.seed, world.start_ms, world.now_ms, world.born, world.spent_micros, list(world.sessions.values()),
            world.browsers, world.cast, world.vacant, world.births, world.cast_ms,
        )
    )  # fmt: skip


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def open_world(path: Path | None, *, seed: int, sessions: int, speed: float, now: int) -> World:
    """The saved world, brought up to now; or a new one if there is none, or none that can be read."""
    if path is None or not path.exists():
        return World.begun(seed, sessions, speed, now)
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=Saved)
        if saved.version != _VERSION:
            raise ValueError(f"version {saved.version}")
    except (ValueError, msgspec.MsgspecError) as error:
        aside = path.with_name(f"{path.name}.corrupt-{now}")
        path.rename(aside)
        print(
            f"simulator: {path} cannot be read ({error}); moved to {aside.name}, starting afresh",
            file=sys.stderr,
            flush=True,
        )
        return World.begun(seed, sessions, speed, now)
    return _resume(saved, sessions, speed, now)


def _resume(saved: Saved, sessions: int, speed: float, now: int) -> World:
    world = World(saved.seed, sessions, speed, saved.start_ms)
    world.now_ms, world.born, world.spent_micros = saved.now_ms, saved.born, saved.spent_micros
    for session in saved.sessions:
        world.enter(session)
    world.order.sort()
    world.browsers, world.cast, world.vacant = saved.browsers, saved.cast, saved.vacant
    world.births, world.cast_ms = saved.births, saved.cast_ms
    world.queue_all()
    if now - saved.now_ms > LONG_GAP_MS:
        _new_shift(world, now)
    else:
        world.advance_to(min(now, saved.now_ms + world.span(CATCH_UP_MS)))
        _pause(world, now)
    return world


def _pause(world: World, now: int) -> None:
    """The rest of the gap did not happen: everything planned is put off by it, and nothing is booked for it."""
    gap = now - world.now_ms
    if gap <= 0:
        return
    for session in world.live_sessions():
        session.due_ms = None if session.due_ms is None else session.due_ms + gap
        session.stop_ms = None if session.stop_ms is None else session.stop_ms + gap
        session.idle_until_ms += gap
        session.metered_ms += gap
    world.births = [at + gap for at in world.births]
    world.vacant = {part: at + gap for part, at in world.vacant.items()}
    world.cast_ms += gap
    world.now_ms = now
    world.queue_all()


def _new_shift(world: World, now: int) -> None:
    """Away for hours: whoever was alive timed out when we left, and other agents are at work."""
    gap = now - world.now_ms
    for session in list(world.live_sessions()):
        life.end(world, session, "timed_out", world.now_ms)
    world.births, world.vacant, world.cast_ms = [], {}, now + 1_000
    genesis.populate_live(world, world.size, now, oldest_ms=min(gap * 9 // 10, 6 * genesis.HOUR))
    world.order.sort()
    world.now_ms = now
    world.queue_all()
