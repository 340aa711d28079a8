"""The messages of a session. None is stored: the n-th is worked out from its tasks when somebody reads it.

A task gives: user_message, planning, then two per step (browser_action and what came of it), and at its end a completion.
A message's id hides its number in its last 32 bits, so a cursor is looked up without a search.
"""

import json
from typing import Any
from uuid import UUID

from . import scenes, wire
from .dice import Dice, mix
from .model import Session, Task, step_time
from .world import World

_ERROR_EVERY = 23  # about one result in so many is an error that the agent gets over


def count(session: Session) -> int:
    return sum(_size(task) for task in session.tasks)


def _size(task: Task) -> int:
    return 2 + 2 * task.steps + (task.ended_ms is not None)


def message_id(session: Session, number: int) -> str:
    upper = Dice(session.key, 4).uuid()[:-8]
    return f"{upper}{number ^ mix(session.key) & 0xFFFFFFFF:08x}"


def number_of(session: Session, message: str) -> int | None:
    """The number of a message id, or None if it is no message of this session."""
    number = UUID(message).int & 0xFFFFFFFF ^ mix(session.key) & 0xFFFFFFFF
    known = number < count(session) and message_id(session, number) == message.lower()
    return number if known else None


def page(world: World, session: Session, visit: wire.Visit, first: int, last: int) -> list[dict[str, Any]]:
    """Messages first … last-1, oldest first."""
    return [_message(world, session, visit, number) for number in range(first, last)]


def _message(world: World, session: Session, visit: wire.Visit, number: int) -> dict[str, Any]:
    place = number
    for task in session.tasks:
        if place < _size(task):
            break
        place -= _size(task)
    kind, role, data, summary, at, step = _content(task, place)
    shown = task.first_step + step if step and kind.startswith("browser_action") else 0
    return {
        "id": message_id(session, number),
        "sessionId": session.id,
        "role": role,
        "data": data,
        "type": kind,
        "summary": summary,
        "screenshotUrl": wire.picture_url(world, session, shown, visit) if shown else None,
        "hidden": kind == "planning",
        "createdAt": wire.instant(at),
    }


def _content(task: Task, place: int) -> tuple[str, str, str, str, int, int]:
    """Type, role, data, summary, time and step of the task's message at `place`."""
    if place == 0:
        words = scenes.prompt(task)
        return "user_message", "human", words, words[:80], task.started_ms, 0
    if place == 1:
        plan = f"Plan: {'; '.join(scenes.scene_of(task).opening)}; then one by one.".format(
            subject=scenes.subject(task)
        )
        return "planning", "ai", plan, "Planning the task", task.started_ms + 150, 0
    if place >= 2 + 2 * task.steps:
        text = scenes.output(task)
        data = text if isinstance(text, str) else json.dumps(text)
        summary = "Task complete" if task.success else "Task ended without success"
        return "completion", "ai", data, summary, task.ended_ms or 0, task.steps
    step = (place - 2) // 2 + 1
    return _action(task, step) if place % 2 == 0 else _result(task, step)


def _action(task: Task, step: int) -> tuple[str, str, str, str, int, int]:
    summary = scenes.summary(task, step)
    verb = summary.split()[0].lower()
    if verb in ("noting", "writing", "saving", "downloading", "exporting"):
        return (
            "file_operation",
            "ai",
            json.dumps({"path": "notes.md", "text": summary}),
            summary,
            step_time(task, step),
            step,
        )
    action = {
        "action": {"opening": "open", "typing": "type", "clicking": "click"}.get(verb, "look"),
        "url": scenes.url(task, step),
    }
    return "browser_action", "ai", json.dumps(action), summary, step_time(task, step), step


def _result(task: Task, step: int) -> tuple[str, str, str, str, int, int]:
    at = step_time(task, step) + 90
    if mix(task.key + step) % _ERROR_EVERY == 0:
        return (
            "browser_action_error",
            "ai",
            "Timeout: the element did not appear within 5 s",
            "The page was slow; trying again",
            at,
            step,
        )
    data = json.dumps({"ok": True, "url": scenes.url(task, step)})
    return "browser_action_result", "ai", data, "Done", at, step
