"""Four parts that are always played: two runaways, one paid for without working, one near its limit.

No session is born for a part. An ordinary one is given it, as it happens in life: it begins to loop, it stalls, it is
forgotten, or its follow-up comes with a budget that is nearly spent.
"""

from typing import TYPE_CHECKING

from . import birth, life
from .dice import Dice, key_of
from .model import Session
from .scenes import with_load_more

if TYPE_CHECKING:
    from .world import World

# Part → how long it stays vacant (simulated ms) after its player was stopped.
PARTS = {"loop": 180_000, "stalled": 180_000, "parked": 0, "near_cap": 0}
ROUND_MS = 20_000
SMALLEST_FLOOR = 12  # a smaller one has no crowd to draw from


def cast(world: "World", at: int) -> None:
    """Fill vacant parts; called every ROUND_MS."""
    if world.target < SMALLEST_FLOOR:
        return
    for part, vacancy_ms in PARTS.items():
        if _played(world, part):
            world.vacant.pop(part, None)
        elif at - world.vacant.setdefault(part, at) >= world.span(vacancy_ms):
            _fill(world, part, at)


def _played(world: "World", part: str) -> bool:
    session = world.sessions.get(world.cast.get(part, ""))
    return session is not None and session.live and session.role == part


def _fill(world: "World", part: str, at: int) -> None:
    players = [
        s
        for s in world.live_sessions()
        if s.origin == "floor" and not s.role and not s.stop_ms and _fits(s, part)
    ]
    if not players:
        return
    if part == "near_cap":  # the one that spent most, so that the last eighth of its budget lasts a while
        session = max(players, key=lambda s: (life.total_micros(s), s.id))
    else:
        session = Dice(key_of(world.seed, part, at)).pick(players)
    _direct(world, session, part, at)
    world.cast[part] = session.id


def _fits(session: Session, part: str) -> bool:
    task = session.task
    if part in ("loop", "stalled"):
        if session.status != "running" or task is None or session.due != "step" or session.max_cost_micros:
            return False
        return task.steps >= 4 and (part == "stalled" or task.scene in with_load_more())
    return session.status == "idle" and session.keep_alive and session.waiting is None and task is not None


def _direct(world: "World", session: Session, part: str, at: int) -> None:
    if part == "near_cap":
        tight_budget(world, session, at)
    if part == "stalled":
        session.due_ms = None  # nothing more happens until somebody stops it
    session.role = part


def tight_budget(world: "World", session: Session, at: int) -> None:
    """A follow-up whose limit is 8/7 of what is already spent: 87.5% used before its first step."""
    life.book_browser(world, session, at)
    session.max_cost_micros = life.total_micros(session) * 8 // 7
    life.follow_up(world, session, at, birth.new_task(session, at))
