"""The life of a session: created → idle ⇄ running → stopped | timed_out | error, one event at a time.

Each event does its work at its own time, whenever it comes to be handled; so it makes no difference whether the world is
advanced once an hour or at every request. Durations are in simulated milliseconds; `world.span` turns them into wall time.
"""

from typing import TYPE_CHECKING

from . import birth, scenes
from .dice import Dice
from .model import TRANSITIONS, Session, Task
from .prices import BROWSER_MS_PER_MICRO, PROXY_MICROS_PER_KB, llm_nanos

if TYPE_CHECKING:
    from .world import World

METER_MS = 30_000  # browser time of an idle session is booked this often
IDLE_LIMIT_MS = 15 * 60_000
IDLE_LIMIT_KEPT_MS = 60 * 60_000
LOOP_PACE, LOOP_TOKENS = (
    0.4,
    2.4,
)  # a looping session steps 2.5× as often with 2.4× the tokens: 6× the money per minute


def roll(session: Session) -> Dice:
    """The dice of one event."""
    session.turn += 1
    return Dice(session.key, 16 + session.turn)


def total_micros(session: Session) -> int:
    return (
        session.llm_micros
        + session.proxy_kb * PROXY_MICROS_PER_KB
        + session.browser_ms // BROWSER_MS_PER_MICRO
    )


def begin(world: "World", session: Session, at: int) -> None:
    """The sandbox starts; with a task waiting or without."""
    slow = (
        session.origin == "floor"
    )  # the floor queues for sandboxes; a test's own session should not take a minute
    boot = roll(session).between(20_000, 130_000) if slow else roll(session).between(1_500, 4_000)
    world.plan(session, at + world.span(boot), "ready")


def on_ready(world: "World", session: Session, at: int) -> None:
    become(world, session, "idle", at)
    if session.waiting is not None:
        world.plan(session, at + world.span(roll(session).between(400, 2_500)), "start")
    else:
        rest(world, session, at, IDLE_LIMIT_KEPT_MS, "close")


def on_start(world: "World", session: Session, at: int) -> None:
    task = session.waiting
    if task is None:  # taken back by a stop that came first
        rest(world, session, at, IDLE_LIMIT_MS, "close")
        return
    book_browser(world, session, at)
    become(world, session, "running", at)
    task.started_ms, task.first_step = at, session.steps
    session.tasks.append(task)
    session.waiting = None
    session.success = None
    world.plan(session, at + world.span(pace(session, task)), "step")


def pace(session: Session, task: Task) -> int:
    """Until the next step: the session's pace, give or take a quarter."""
    ms = session.pace_ms * roll(session).between(75, 125) // 100
    return int(ms * LOOP_PACE) if session.role == "loop" else ms


def on_step(world: "World", session: Session, at: int) -> None:
    task = session.task
    assert task is not None
    task.steps += 1
    task.marks.append(at)
    session.steps += 1
    if session.role == "loop" and task.loop_from is None:
        task.loop_from = task.steps
    session.summary = scenes.summary(task, task.steps)
    charge(world, session, at)
    session.updated_ms = at
    if session.max_cost_micros is not None and total_micros(session) >= session.max_cost_micros:
        world.plan(session, at + world.span(300), "capped")
    elif task.steps >= task.planned and session.role not in ("loop", "near_cap"):
        world.plan(session, at + world.span(1_500), "finish")
    else:
        world.plan(session, at + world.span(pace(session, task)), "step")


def charge(world: "World", session: Session, at: int) -> None:
    """Tokens, traffic and browser time of one step."""
    dice = roll(session)
    tokens_in, tokens_out = dice.between(2_500, 7_000), dice.between(120, 380)
    traffic = dice.between(60, 900) if session.country else 0
    if session.role == "loop":
        tokens_in, tokens_out, traffic = (int(n * LOOP_TOKENS) for n in (tokens_in, tokens_out, traffic))
    before = total_micros(session)
    nanos = llm_nanos(session.model, tokens_in, tokens_out) + session.nano_rest
    session.llm_micros += nanos // 1_000
    session.nano_rest = nanos % 1_000
    session.tokens_in += tokens_in
    session.tokens_out += tokens_out
    session.proxy_kb += traffic
    world.spent_micros += total_micros(session) - before
    book_browser(world, session, at)


def book_browser(world: "World", session: Session, at: int) -> None:
    """Book the browser's time since it was last booked."""
    before = total_micros(session)
    session.browser_ms += int(max(0, at - session.metered_ms) * world.speed)
    session.metered_ms = max(at, session.metered_ms)
    world.spent_micros += total_micros(session) - before


def on_finish(world: "World", session: Session, at: int) -> None:
    task = session.task
    assert task is not None
    if task.fate in ("error", "timed_out"):
        end(world, session, task.fate, at)
    else:
        close_task(session, at, "finished", success=task.fate == "success")
        settle(world, session, at)


def on_capped(world: "World", session: Session, at: int) -> None:
    close_task(session, at, "capped", success=False)
    settle(world, session, at)


def settle(world: "World", session: Session, at: int) -> None:
    """After a task: kept alive for a follow-up, or closed in a moment."""
    book_browser(world, session, at)
    become(world, session, "idle", at)
    dice = roll(session)
    if not session.keep_alive:
        rest(world, session, at, dice.between(2_000, 7_000), "close")
    elif session.origin == "api":
        rest(world, session, at, IDLE_LIMIT_KEPT_MS, "time_out")
    else:
        then = "followup" if dice.chance(0.55) else dice.pick(("close", "close", "time_out"))
        rest(world, session, at, dice.skewed(90_000, 900_000, 2), then)


def rest(world: "World", session: Session, at: int, idle_ms: int, then: str) -> None:
    """Be idle for a while, paying for the browser, then do something."""
    session.role = ""
    session.idle_until_ms, session.idle_then = at + world.span(idle_ms), then
    world.plan(session, min(session.idle_until_ms, at + world.span(METER_MS)), "meter")


def on_meter(world: "World", session: Session, at: int) -> None:
    book_browser(world, session, at)
    session.updated_ms = at
    if session.role == "parked" or at < session.idle_until_ms:
        upper = at + world.span(METER_MS)
        world.plan(session, upper if session.role else min(session.idle_until_ms, upper), "meter")
    elif session.idle_then == "followup":
        follow_up(world, session, at, birth.new_task(session, at))
    else:
        end(world, session, "timed_out" if session.idle_then == "time_out" else "stopped", at)


def follow_up(world: "World", session: Session, at: int, task: Task) -> None:
    """A task for a session that is idle, or about to be."""
    session.waiting = task
    session.updated_ms = at
    session.role = ""
    if session.status == "idle":
        world.plan(session, at + world.span(roll(session).between(300, 1_500)), "start")


def close_task(session: Session, at: int, ending: str, *, success: bool) -> None:
    task = session.task
    if task is None or task.ended_ms is not None:
        return
    task.ended_ms, task.ending, task.success = at, ending, success
    session.success = success


def on_halt(world: "World", session: Session, at: int) -> None:
    """Strategy `task`: the task is over, the session lives on."""
    session.waiting = None
    if session.status != "running":
        return
    close_task(session, at, "halted", success=False)
    book_browser(world, session, at)
    become(world, session, "idle", at)
    rest(world, session, at, IDLE_LIMIT_KEPT_MS if session.keep_alive else IDLE_LIMIT_MS, "close")


def on_kill(world: "World", session: Session, at: int) -> None:
    """Strategy `session`: the sandbox is destroyed."""
    end(world, session, "stopped", at)


def end(world: "World", session: Session, status: str, at: int) -> None:
    book_browser(world, session, at)
    close_task(session, at, "died", success=False)
    become(world, session, status, at)
    session.ended_ms = at
    session.role, session.waiting, session.due_ms, session.stop_ms = "", None, None, None
    world.retire(session, at)


def become(world: "World", session: Session, status: str, at: int) -> None:
    if status not in TRANSITIONS[session.status]:
        raise AssertionError(f"{session.status} → {status} is not a documented transition")
    session.status = status
    session.updated_ms = at
    world.on_status(session, at)


EVENTS = {
    "ready": on_ready, "start": on_start, "step": on_step, "finish": on_finish, "capped": on_capped, "meter": on_meter,
    "halt": on_halt, "kill": on_kill,
}  # fmt: skip
