"""How a script is played: what a task is called, what each step says, what comes out at the end.

Everything here is a pure function of the task's key and a step number, so nothing of it needs to be stored.
"""

from functools import cache, lru_cache
from typing import Any

from .conform import conform
from .dice import Dice, key_of, mix
from .model import Task
from .scripts import LOAD_MORE, SCENES, Scene

_LARGE_SHARE = 1_999  # about one finished task in so many hands back some 300 KB
_SHAPES = {"price": "number", "amount": "number", "difference": "number", "rating": "number", "spend": "number",
           "count": "integer", "clicks": "integer", "conversions": "integer", "quantity": "integer", "staff": "integer",
           "transitDays": "integer", "leadTimeDays": "integer", "walkMinutes": "integer", "stops": "integer",
           "drafts": "integer", "inStock": "boolean"}  # fmt: skip


def scene_of(task: Task) -> Scene:
    return SCENES[task.scene]


def subject(task: Task) -> str:
    return Dice(task.key).pick(scene_of(task).subjects)


def title(task: Task) -> str:
    """The short title that the vendor makes up once a task runs."""
    if task.prompt:
        line = task.prompt.strip().splitlines()[0]
        return line if len(line) <= 60 else line[:57].rstrip() + "..."
    return scene_of(task).title.format(subject=subject(task))


def prompt(task: Task) -> str:
    """The task in full, as somebody would have written it."""
    return task.prompt or scene_of(task).prompt.format(subject=subject(task))


def summary(task: Task, step: int) -> str:
    """One line about step `step` (1-based) of the task."""
    scene = scene_of(task)
    if task.loop_from is not None and step >= task.loop_from:
        return LOAD_MORE
    if step <= len(scene.opening):
        text = scene.opening[step - 1]
    elif task.planned - len(scene.closing) < step <= task.planned:
        text = scene.closing[step - task.planned - 1]
    else:
        text = scene.cycle[cycle_position(task, step)]
    round_number = max(1, (step - len(scene.opening)) // len(scene.cycle) + 1)
    return text.format(subject=subject(task), item=item(task, step), n=round_number)


def cycle_position(task: Task, step: int) -> int:
    scene = scene_of(task)
    return max(0, step - len(scene.opening) - 1) % len(scene.cycle)


def item(task: Task, step: int) -> str:
    """Stays the same for one round of the cycle, so that steps about one thing follow each other."""
    scene = scene_of(task)
    turn = max(0, step - len(scene.opening) - 1) // len(scene.cycle)
    return scene.items[mix(task.key + turn) % len(scene.items)]


def url(task: Task, step: int) -> str:
    """What stands in the browser's address bar."""
    scene = scene_of(task)
    position = cycle_position(task, step)
    tail = (
        f"/{mix(task.key + step) % 90_000 + 10_000}"
        if position in (0, 1) and step > len(scene.opening)
        else ""
    )
    return f"https://{scene.host}{scene.path}{tail}"


def schema_of(task: Task) -> dict[str, Any] | None:
    return task.schema if task.schema is not None else schema_for(task.scene) if task.structured else None


@cache
def schema_for(scene: str) -> dict[str, Any]:
    """A JSON Schema that fits the scene: an object with a list of rows and a note."""
    properties = {name: {"type": _SHAPES.get(name, "string")} for name in SCENES[scene].fields}
    row = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": row},
            "note": {"type": "string", "maxLength": 200},
        },
        "required": ["items", "note"],
    }


def output(task: Task) -> Any:
    """What the agent hands back: null before the end, JSON if a schema was given, else text."""
    if task.ended_ms is None or task.ending in ("halted", "died"):
        return None
    if task.ending == "capped":
        return "Stopped: the cost limit of this session was reached before the task was complete."
    if schema_of(task) is not None:
        return _structured(task)
    if not task.success:
        return f"I could not complete this: {summary(task, task.steps)[:80].lower()} did not work after several attempts."
    return _large_output(task.scene, task.key) if is_large(task.key) else _result(task.scene, task.key)


def is_large(key: int) -> bool:
    return mix(key) % _LARGE_SHARE == 0


_made: dict[int, Any] = {}


def _structured(task: Task) -> Any:
    """JSON for the task's schema; made once, since lists are read all the time."""
    if task.key not in _made:
        if len(_made) >= 4_000:
            _made.clear()
        _made[task.key] = conform(schema_of(task), Dice(mix(task.key)))
    return _made[task.key]


def _result(scene: str, key: int) -> str:
    script = SCENES[scene]
    return script.result.format(
        subject=Dice(key).pick(script.subjects), item=Dice(mix(key)).pick(script.items)
    )


@lru_cache(maxsize=16)
def _large_output(scene: str, key: int) -> str:
    """About 300 KB of comma-separated rows behind the usual sentence."""
    script, dice = SCENES[scene], Dice(mix(key), 1)
    rows = [
        f"{n},{dice.pick(script.items)},{dice.between(100, 99_999) / 100:.2f},{dice.bits():x}"
        for n in range(1, 6_400)
    ]
    return _result(scene, key) + "\n\nrow,name,amount,reference\n" + "\n".join(rows)


def scene_for_prompt(text: str) -> str:
    """The script whose words are nearest to somebody's prompt; by the text's hash if none is near."""
    words = set(text.lower().split())
    scores = {name: len(words & set(script.prompt.lower().split())) for name, script in SCENES.items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= 4 else sorted(SCENES)[key_of(text) % len(SCENES)]


def with_load_more() -> list[str]:
    return [name for name, script in SCENES.items() if LOAD_MORE in script.cycle]
