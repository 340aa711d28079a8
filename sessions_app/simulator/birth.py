"""New sessions and new tasks of the floor, drawn by dice."""

from typing import TYPE_CHECKING, Any

from . import scenes
from .dice import Dice, key_of
from .model import Session, Task
from .prices import MODELS
from .scripts import SCENES

if TYPE_CHECKING:
    from .world import World

_MODEL_LOT = [name for name, price in MODELS.items() for _ in range(price.weight)]
_COUNTRIES = ("us", "us", "us", "de", "uk", "uk", "fr", "ca", "nl", "jp", "br", "se", "xk")
_SCREENS = ((1280, 800), (1440, 900), (1920, 1080), (390, 844))


def new_session(world: "World", at_ms: int, origin: str = "floor") -> Session:
    """A session in status `created`, entered into the world's books."""
    world.born += 1
    key = key_of(world.seed, world.born)
    session = Session(
        id=Dice(key, 1).uuid(),
        key=key,
        model="bu-mini",
        created_ms=at_ms,
        updated_ms=at_ms,
        origin=origin,
        metered_ms=at_ms,
    )
    if origin == "floor":
        _furnish(world, session, Dice(key, 2))
    return session


def _furnish(world: "World", session: Session, dice: Dice) -> None:
    session.model = dice.pick(_MODEL_LOT)
    session.pace_ms = dice.between(4_600, 11_000)
    session.keep_alive = dice.chance(0.4)
    session.recording = dice.chance(0.25)
    session.country = dice.pick(_COUNTRIES) if dice.chance(0.5) else None
    session.profile_id = dice.pick(world.profiles)["id"] if dice.chance(0.55) else None
    session.workspace_id = dice.pick(world.workspaces)["id"] if dice.chance(0.35) else None
    session.max_cost_micros = dice.pick((1, 2, 5, 10, 20)) * 1_000_000 if dice.chance(0.3) else None
    session.newer = dice.chance(0.6)
    if session.newer and dice.chance(0.4):
        session.width, session.height = dice.pick(_SCREENS)
    if session.newer and MODELS[session.model].thinking:
        session.thinking = dice.pick(("disabled", "low", "medium", "high"))


def new_task(session: Session, at_ms: int, scene: str | None = None, *, key: int | None = None) -> Task:
    """A task of the floor; its length and its fate are already decided."""
    dice = Dice(key_of(session.key, "task", len(session.tasks), key or 0))
    key = key if key is not None else dice.bits()
    scene = scene or dice.pick(sorted(SCENES))
    planned = dice.skewed(18, 170)
    fate = "success" if dice.chance(0.78) else dice.pick(("failure", "failure", "error", "timed_out"))
    structured = dice.chance(0.3)
    _equip(session, scene, dice)
    return Task(
        key=key, scene=scene, started_ms=at_ms, first_step=session.steps,
        planned=planned, fate=fate, structured=structured,
    )  # fmt: skip


def _equip(session: Session, scene: str, dice: Dice) -> None:
    """Integrations come with the first task that needs them; a mailbox comes with `agentmail`."""
    wanted = SCENES[scene].integrations
    if not wanted or session.integrations or not dice.chance(0.6):
        return
    session.integrations = list(wanted)
    if "agentmail" in wanted:
        session.email = mailbox(session.key)


def mailbox(key: int) -> str:
    dice = Dice(key, 3)
    word = dice.pick(("quiet-river", "brave-otter", "plain-cedar", "north-lamp", "silver-moth"))
    return f"{word}-{dice.between(100, 999)}@agentmail.example"


def own_task(session: Session, prompt: str, at_ms: int, schema: dict[str, Any] | None = None) -> Task:
    """A task that somebody sent over HTTP: their words, the nearest script, no misfortune."""
    key = key_of(session.key, "own", len(session.tasks))
    scene = scenes.scene_for_prompt(prompt)
    return Task(
        key=key, scene=scene, prompt=prompt, started_ms=at_ms, first_step=session.steps,
        planned=Dice(key, 9).skewed(20, 90), schema=schema,
    )  # fmt: skip
