"""The first day: a floor that has been at work for a while, and two weeks of history behind it.

Nothing is played through. A past is booked in one go per task, so that ten thousand sessions take seconds.
"""

from typing import TYPE_CHECKING

from . import birth, casting, life, scenes
from .dice import Dice, key_of, mix
from .model import Session, Task
from .prices import llm_nanos
from .scripts import LOAD_MORE

if TYPE_CHECKING:
    from .world import World

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
HISTORY_DAYS = 14
HISTORY_PER_SESSION = 3


def populate(world: "World", size: int, now: int) -> None:
    """About `size` sessions alive or recently ended, and three times as many older ones."""
    for number in range(size * HISTORY_PER_SESSION):
        _past_session(world, _past_moment(Dice(key_of(world.seed, "old", number)), now), now, longer=4)
    live = live_size(size)
    for number in range(size - live):
        age = Dice(key_of(world.seed, "recent", number)).skewed(12 * MINUTE, 44 * HOUR, 2)
        _past_session(world, now - age - 80 * MINUTE, now)
    populate_live(world, size, now, oldest_ms=6 * HOUR)
    _ensure_large_output(world)


def live_size(size: int) -> int:
    """45% running, 15% idle, 5% created."""
    return size * 65 // 100


def populate_live(world: "World", size: int, now: int, oldest_ms: int) -> None:
    """The living part of the floor; nothing is older than `oldest_ms`."""
    live = live_size(size)
    parts = _parts(size)
    created, idle = max(1, size * 5 // 100) if live else 0, size * 15 // 100
    for number in range(live):
        dice = Dice(key_of(world.seed, "live", now, number))
        if number < len(parts):
            _part(world, parts[number], now, oldest_ms)
        elif number < created + len(parts):
            _starting(world, dice, now)
        elif number < created + idle + 1:  # the forgotten one counts as idle
            _idle(world, dice, now, oldest_ms)
        else:
            _running(world, dice, now, oldest_ms)


def _parts(size: int) -> tuple[str, ...]:
    return (
        ("loop", "stalled", "parked", "near_cap")
        if live_size(size) and size >= casting.SMALLEST_FLOOR
        else ()
    )


def _past_moment(dice: Dice, now: int) -> int:
    """Some time in the last two weeks, rather on a weekday and by day (UTC)."""
    while True:
        day = (now // DAY - dice.between(2, HISTORY_DAYS)) * DAY
        weekend = (day // DAY + 3) % 7 >= 5  # 1 January 1970 was a Thursday
        if not weekend or dice.chance(0.4):
            return day + dice.between(5, 13) * HOUR + dice.between(0, 7 * 60) * MINUTE


def _starting(world: "World", dice: Dice, now: int) -> None:
    session = birth.new_session(world, now - dice.between(1_000, 40_000))
    session.waiting = birth.new_task(session, now)
    world.enter(session)
    life.begin(world, session, now)


def _running(world: "World", dice: Dice, now: int, oldest_ms: int) -> Session:
    task_ms = dice.skewed(40_000, min(35 * MINUTE, oldest_ms))
    session = birth.new_session(world, now - task_ms - dice.between(20_000, 90_000))
    task = birth.new_task(session, now - task_ms)
    steps = task_ms // session.pace_ms
    task.planned = max(task.planned, steps + dice.skewed(4, 60, 2))
    _work(session, task, now, steps)
    session.status = "running"
    _lift_limit(session)
    world.enter(session)
    world.plan(session, now + world.span(dice.between(300, session.pace_ms)), "step")
    return session


def _idle(world: "World", dice: Dice, now: int, oldest_ms: int) -> None:
    idle_ms = dice.skewed(5_000, min(10 * MINUTE, oldest_ms))
    task_ms = dice.skewed(90_000, 20 * MINUTE, 2)
    session = birth.new_session(world, now - idle_ms - task_ms - dice.between(20_000, 90_000))
    session.keep_alive = True
    task = birth.new_task(session, now - idle_ms - task_ms)
    task.planned = max(4, task_ms // session.pace_ms)
    _work(session, task, now - idle_ms, task.planned)
    _finish(session, task, now - idle_ms, success=task.fate != "failure")
    session.status, session.updated_ms = "idle", now - min(idle_ms, dice.between(0, life.METER_MS))
    session.browser_ms, session.metered_ms = session.updated_ms - session.created_ms, session.updated_ms
    _lift_limit(session)
    world.enter(session)
    life.rest(
        world, session, now, dice.skewed(60_000, 600_000, 2), dice.pick(("followup", "followup", "close"))
    )


def _part(world: "World", part: str, now: int, oldest_ms: int) -> None:
    """The four that are always there, each with the past that makes it what it is."""
    age = min(
        oldest_ms,
        {"loop": 52 * MINUTE, "stalled": 71 * MINUTE, "parked": 205 * MINUTE, "near_cap": 64 * MINUTE}[part],
    )
    session = birth.new_session(world, now - age)
    session.max_cost_micros, session.keep_alive = None, part != "stalled"
    session.model = {"loop": "claude-opus-4.7", "stalled": "claude-sonnet-5"}.get(part, "bu-max")
    session.pace_ms = 7_000
    scene = {"loop": "reviews", "stalled": "claims", "parked": "rooms", "near_cap": "stock"}[part]
    task = birth.new_task(session, session.created_ms + 40_000, scene)
    until = (
        now
        - {"loop": 0, "stalled": 27 * MINUTE, "parked": 190 * MINUTE, "near_cap": 0}[part]
        * min(age, HOUR)
        // HOUR
    )
    until = max(until, task.started_ms + MINUTE)
    task.planned = (until - task.started_ms) // session.pace_ms + 60
    _work(session, task, until, (until - task.started_ms) // session.pace_ms)
    session.status = "running"
    world.enter(session)
    _STAGING[part](world, session, task, now, until)
    session.role = part
    world.cast[part] = session.id


def _stage_loop(world: "World", session: Session, task: Task, now: int, until: int) -> None:
    """It has been clicking the same button for a quarter of an hour."""
    task.loop_from = max(1, task.steps * 7 // 10)
    session.summary = LOAD_MORE
    session.llm_micros, session.tokens_in, session.tokens_out = (
        session.llm_micros * 3,
        session.tokens_in * 3,
        session.tokens_out * 3,
    )
    world.plan(session, now + world.span(2_000), "step")


def _stage_stalled(world: "World", session: Session, task: Task, now: int, until: int) -> None:
    session.updated_ms = session.metered_ms = until
    session.browser_ms = until - session.created_ms


def _stage_parked(world: "World", session: Session, task: Task, now: int, until: int) -> None:
    task.planned = task.steps
    session.summary = scenes.summary(task, task.steps)
    _finish(session, task, until, success=True)
    session.status, session.updated_ms = "idle", now
    life.rest(world, session, now, life.METER_MS, "close")


def _stage_near_cap(world: "World", session: Session, task: Task, now: int, until: int) -> None:
    cents = life.total_micros(session) * 8 // 7 // 10_000
    session.max_cost_micros = max(1, cents) * 10_000
    world.plan(session, now + world.span(3_000), "step")


_STAGING = {
    "loop": _stage_loop,
    "stalled": _stage_stalled,
    "parked": _stage_parked,
    "near_cap": _stage_near_cap,
}


def _past_session(world: "World", created: int, now: int, longer: int = 1) -> None:
    """One that is over, with one task or two. Older ones were `longer`, so that a day of history costs something."""
    session = birth.new_session(world, created)
    dice = Dice(session.key, 5)
    at = created + dice.between(20_000, 100_000)
    for _ in range(2 if session.keep_alive and dice.chance(0.5) else 1):
        task = birth.new_task(session, at)
        task.planned *= longer
        at = task.started_ms + task.planned * session.pace_ms
        _work(session, task, at, task.planned)
        _finish(session, task, at, success=task.fate == "success")
        at += dice.skewed(3_000, 15 * MINUTE) if session.keep_alive else dice.between(2_000, 7_000)
    session.ended_ms = session.updated_ms = session.metered_ms = min(at, now - 1_000)
    session.browser_ms = session.ended_ms - created
    session.status = _final_status(session, dice)
    _lift_limit(session)
    world.enter(session)


def _final_status(session: Session, dice: Dice) -> str:
    task = session.tasks[-1]
    if task.fate in ("error", "timed_out"):
        task.ending = "died"
        return task.fate
    return "timed_out" if session.keep_alive and dice.chance(0.25) else "stopped"


def _work(session: Session, task: Task, until: int, steps: int) -> None:
    """Book `steps` steps of a task between its start and `until`."""
    dice = Dice(mix(task.key), 7)
    task.steps = task.spread_steps = steps
    task.spread_until_ms = until
    session.tasks.append(task)
    session.steps += steps
    tokens_in, tokens_out = steps * dice.between(4_100, 5_300), steps * dice.between(210, 280)
    nanos = llm_nanos(session.model, tokens_in, tokens_out)
    session.tokens_in += tokens_in
    session.tokens_out += tokens_out
    session.llm_micros += nanos // 1_000
    session.proxy_kb += steps * dice.between(380, 560) if session.country else 0
    session.browser_ms, session.metered_ms = until - session.created_ms, until
    session.summary = scenes.summary(task, steps) if steps else None
    session.updated_ms = until


def _finish(session: Session, task: Task, at: int, *, success: bool) -> None:
    life.close_task(session, at, "finished", success=success)


def _lift_limit(session: Session) -> None:
    """A past must not have broken its own limit."""
    while session.max_cost_micros is not None and session.max_cost_micros <= life.total_micros(session):
        session.max_cost_micros *= 2


def _ensure_large_output(world: "World") -> None:
    """One finished task that handed back some 300 KB of text."""
    for session in reversed(list(world.sessions.values())):
        task = session.task
        if session.ended_ms and session.success and task and not task.structured:
            while not scenes.is_large(task.key):
                task.key = mix(task.key)
            return
