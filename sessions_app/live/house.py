"""What the hub cannot do itself, because it knows neither pages nor tables: `dashboard.live_wiring` gives it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sessions_app.live.tickets import Ticket
from sessions_app.types import Sight


class Row(Protocol):
    """A session's row, rendered (`queries.rows.RenderedRow`)."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def is_live(self) -> bool: ...
    @property
    def status(self) -> str: ...
    @property
    def attention_rank(self) -> int: ...
    @property
    def html(self) -> bytes: ...


class Change(NamedTuple):
    session_id: int
    account_id: int
    is_new: bool
    """First seen since the moment asked about."""


@dataclass(frozen=True, kw_only=True)
class House:
    """Each of these is called in a thread, may use the database, and may raise."""

    render: Callable[[Iterable[int], Sight], Mapping[int, Row]]
    """Rows by our id.  Those that are no more are missing."""
    pulse: Callable[[Sight], bytes]
    """The summary strip."""
    changed_since: Callable[[Iterable[int], datetime], list[int]]
    """Which of these sessions changed at that moment or later."""
    changed_since_any: Callable[[datetime], list[Change]]
    matching: Callable[[Iterable[int], str, Sight], set[int]]
    """Which of these sessions live and match a page's filter (`Ticket.query`)."""
    grant: Callable[[Ticket, str], Sight | None]
    """What the ticket's person sees, if the session key (a cookie's value) is theirs and still good."""


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """How often, in seconds."""

    coalesce_s: float = 0.25
    pulse_least_s: float = 1
    pulse_most_s: float = 5
    ping_s: float = 15
    watch_s: float = 1
    """How often it is said which sessions are open."""
    grant_s: float = 30
    """How often it is asked whether everybody may still listen; and at once when somebody says that it changed."""
    grant_least_s: float = 0.5
    """So long after that was said: whoever says it may just be about to do it."""
    life_s: float = 600
    write_s: float = 20
    """A browser that takes nothing for so long is given up."""
    poll_s: float = 5
    """How often the database is asked what Redis did not tell."""
    poll_alone_s: float = 2
    """The same while Redis is away."""
    overlap_s: float = 20
    """Changes are dated by the start of the request that brought them: look back by so much more."""
    retry_s: float = 1
    """Browsers reconnect after one to four times that: not all at once."""
