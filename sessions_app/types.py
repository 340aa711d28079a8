"""Frozen values that every layer speaks.  Nothing here imports Django, does IO or reads a clock.

Money is always integer micro-dollars (`…_microusd`), traffic integer bytes, time an aware UTC
`datetime`.  `None` means "the vendor did not say, or said something unreadable" and is never 0.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec


class Status(StrEnum):
    """The statuses that the vendor documents.  Others may appear, and are kept as they come."""

    CREATED = "created"
    IDLE = "idle"
    RUNNING = "running"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    ERROR = "error"


FINAL_STATUSES = frozenset({Status.STOPPED, Status.TIMED_OUT, Status.ERROR})
KNOWN_STATUSES = frozenset(Status)


class Strategy(StrEnum):
    """The two stops, in the vendor's words: `task` spares the browser, `session` destroys it."""

    TASK = "task"
    SESSION = "session"


class Oddity(NamedTuple):
    """A field of a reply that is off the contract, with what stood there, shortened."""

    field: str
    raw: str


class SessionData(msgspec.Struct, frozen=True, kw_only=True):
    """One reply about one session, read tolerantly (source: the vendor's SessionResponse, v3)."""

    uuid: UUID
    status: str
    model: str
    created_at: datetime | None
    updated_at: datetime | None
    title: str | None = None
    last_step: str | None = None
    step_count: int = 0
    is_task_successful: bool | None = None
    live_url: str | None = None
    screenshot_url: str | None = None
    recording_urls: tuple[str, ...] = ()
    profile_id: UUID | None = None
    workspace_id: UUID | None = None
    proxy_country: str | None = None
    max_cost_microusd: int | None = None
    llm_cost_microusd: int | None = None
    proxy_cost_microusd: int | None = None
    browser_cost_microusd: int | None = None
    total_cost_microusd: int | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    proxy_used_bytes: int | None = None
    oddities: tuple[Oddity, ...] = ()
    digest: int = 0
    """Signed 64-bit hash of the reply without the parts that change at every fetch."""
    raw: bytes = b""
    """The reply as JSON, with every credential and presigned URL cut out."""

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES


class AccountFacts(NamedTuple):
    """What `GET /billing/account` says of the key's project."""

    name: str
    project_id: str
    balance_microusd: int | None
    concurrent_browsers: int | None


class NamedThing(NamedTuple):
    """A profile or a workspace: people know names, not UUIDs."""

    uuid: UUID
    name: str
    customer_id: str = ""


class SetAside(NamedTuple):
    """A record of a page that could not be read at all: kept for people, spoils nothing else."""

    uuid_text: str
    error: str
    raw: bytes


class Answer(NamedTuple):
    """A reply about one session, with the moment its request began: answers are ordered by that, not by clocks."""

    read_at: datetime
    session: SessionData


class Sight(NamedTuple):
    """What a viewer may see and do on the floor.  Pages and pushed rows are rendered once per sight, not per person."""

    see_costs: bool = False
    watch_live: bool = False
    take_control: bool = False
    stop_task: bool = False
    end_session: bool = False
    acknowledge: bool = False
