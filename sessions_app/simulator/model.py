"""What exists: plain structs that hold nothing but what a restart must remember.

Times are integer milliseconds since 1970 (wall clock), money integer micro-dollars, traffic integer kilobytes.
"""

from typing import Any

import msgspec

LIVE = frozenset({"created", "idle", "running"})
FINAL = frozenset({"stopped", "timed_out", "error"})

# The documented lifecycle; idle and running alternate, only the last three are final.
TRANSITIONS = {
    "created": {"idle", *FINAL},
    "idle": {"running", *FINAL},
    "running": {"idle", *FINAL},
    "stopped": set(),
    "timed_out": set(),
    "error": set(),
}


class Task(msgspec.Struct, omit_defaults=True):
    """One instruction given to a session. `planned` steps are what it will take if nobody intervenes."""

    key: int
    scene: str
    started_ms: int
    first_step: int  # the session's step count when the task began
    planned: int
    prompt: str = ""  # the words of whoever sent it over HTTP; the floor's own follow from scene and key (`scenes.prompt`)
    structured: bool = False  # asks for JSON by the scene's own schema
    fate: str = "success"  # success | failure | error | timed_out
    steps: int = 0
    spread_steps: int = (
        0  # this many first steps are spread evenly up to `spread_until_ms`; later ones are in `marks`
    )
    spread_until_ms: int = 0
    marks: list[int] = msgspec.field(default_factory=list)
    loop_from: int | None = None  # from this step on, the same step again and again
    ended_ms: int | None = None
    success: bool | None = None
    ending: str = ""  # "" | finished | halted | capped | died
    schema: dict[str, Any] | None = None  # a schema sent over HTTP; see `scenes.schema_of`


class Session(msgspec.Struct, omit_defaults=True):
    id: str
    key: int
    model: str
    created_ms: int
    updated_ms: int
    status: str = "created"
    origin: str = "floor"  # floor: born here, may be cast as a runaway; api: created over HTTP, left alone
    role: str = ""  # "" | loop | stalled | parked | near_cap
    turn: int = 0  # counts events, so that each has its own dice
    ended_ms: int | None = None
    tasks: list[Task] = msgspec.field(default_factory=list)
    waiting: Task | None = None  # dispatched, not yet started
    pace_ms: int = 8_000
    steps: int = 0
    summary: str | None = None
    success: bool | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    llm_micros: int = 0
    nano_rest: int = 0  # below one micro-dollar, carried to the next step
    proxy_kb: int = 0
    browser_ms: int = 0
    metered_ms: int = 0  # browser time is booked up to here
    max_cost_micros: int | None = None
    keep_alive: bool = False
    recording: bool = False
    country: str | None = None
    profile_id: str | None = None
    workspace_id: str | None = None
    email: str | None = None
    integrations: list[str] = msgspec.field(default_factory=list)
    schema: dict[str, Any] | None = None
    newer: bool = True  # replies carry the fields added late 2026
    thinking: str | None = None
    width: int | None = None
    height: int | None = None
    due_ms: int | None = None  # the next event …
    due: str = ""  # … and which
    idle_until_ms: int = 0
    idle_then: str = "close"  # close | followup
    stop_ms: int | None = None  # a stop asked for and not yet in effect …
    stop: str = ""  # … halt (the task) | kill (the session)
    forced: dict[str, Any] = msgspec.field(default_factory=dict)  # fields of replies, set by a test

    @property
    def task(self) -> Task | None:
        return self.tasks[-1] if self.tasks else None

    @property
    def live(self) -> bool:
        return self.status in LIVE


class Browser(msgspec.Struct, omit_defaults=True):
    """A browser of its own, without an agent. (An agent session's browser is derived from the session.)"""

    id: str
    key: int
    started_ms: int
    timeout_ms: int
    finished_ms: int | None = None
    proxy_kb_per_minute: int = 0


def step_time(task: Task, step: int) -> int:
    """When the task's step (1-based) happened."""
    if step > task.spread_steps:
        return task.marks[step - task.spread_steps - 1]
    return task.started_ms + (task.spread_until_ms - task.started_ms) * step // task.spread_steps
