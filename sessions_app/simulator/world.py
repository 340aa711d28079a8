"""The world: every session there is, and the one queue of events that moves it.

`World(seed, sessions, speed, start)` is deterministic: the same arguments and the same calls at the same times give the same
ids, steps and costs, however often it is advanced in between. Work per read is that of the page read; events cost
some ten microseconds each and come about ten per minute and running session.
"""

import bisect
import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import birth, casting, genesis, life, standalone
from .dice import Dice, key_of
from .model import Browser, Session, Task
from .people import profiles_of, workspaces_of

OPENING_MICROS = 1_200_000_000  # the account starts with $1,200 …
FLOOR_MICROS, TOP_UP_MICROS = 100_000_000, 500_000_000  # … and is topped up by $500 when it falls below $100
MONTHLY_MICROS = 300_000_000


def _nobody_listens(session: Session, at: int) -> None:
    """Until somebody wants to know of each new status."""


class World:
    def __init__(self, seed: int, sessions: int, speed: float, start: int) -> None:
        """`start` in milliseconds since 1970; `speed` simulated seconds per second, `sessions` alive or recently ended."""
        self.seed, self.size, self.speed = seed, sessions, speed
        self.target = genesis.live_size(sessions)
        self.now_ms = self.start_ms = start
        self.secret = f"{Dice(key_of(seed, 'secret')).bits():016x}"
        self.profiles, self.workspaces = profiles_of(seed, start), workspaces_of(seed, start)
        self.born = 0
        self.spent_micros = 0
        self.sessions: dict[str, Session] = {}
        self.live: dict[str, None] = {}  # ids, in order of entry
        self.guests = 0  # live sessions that came over HTTP; they don't count towards the floor's population
        self.order: list[tuple[int, str]] = []  # (createdAt, id), oldest first
        self.browsers: list[Browser] = []
        self.cast: dict[str, str] = {}
        self.vacant: dict[str, int] = {}
        self.births: list[int] = []
        self.cast_ms = start + self.span(casting.ROUND_MS)
        self._queue: list[tuple[int, str, str]] = []
        self.on_status: Callable[[Session, int], None] = _nobody_listens

    @classmethod
    def begun(cls, seed: int, sessions: int, speed: float, start: int) -> "World":
        """A world with its first population."""
        world = cls(seed, sessions, speed, start)
        genesis.populate(world, sessions, start)
        world.order.sort()
        world.browsers = standalone.first(world, start)
        world.queue_all()
        return world

    # --- time ---

    def span(self, simulated_ms: float) -> int:
        """Simulated milliseconds → milliseconds of wall time, at least one."""
        return max(1, int(simulated_ms / self.speed))

    def advance_to(self, now_ms: int) -> None:
        """Let everything happen that is due; a clock that goes back is ignored."""
        queue = self._queue
        while queue and queue[0][0] <= now_ms:
            at, kind, session_id = heapq.heappop(queue)
            self.now_ms = max(self.now_ms, at)
            self._happen(at, kind, session_id)
        self.now_ms = max(self.now_ms, now_ms)

    def _happen(self, at: int, kind: str, session_id: str) -> None:
        """One entry of the queue. What a session no longer plans is passed over."""
        session = self.sessions.get(session_id)
        if kind == "birth":
            self.births.remove(at)
            self.give_birth(at)
        elif kind == "cast":
            self._cast(at)
        elif session is not None and kind == "due" and session.due_ms == at:
            session.due_ms = None
            life.EVENTS[session.due](self, session, at)
        elif session is not None and kind == "stop" and session.stop_ms == at:
            session.stop_ms = None
            life.EVENTS[session.stop](self, session, at)

    def _cast(self, at: int) -> None:
        casting.cast(self, at)
        standalone.renew(self, at)
        self.cast_ms = at + self.span(casting.ROUND_MS)
        heapq.heappush(self._queue, (self.cast_ms, "cast", ""))

    def plan(self, session: Session, at: int, what: str) -> None:
        """The session's next event; it replaces the one planned before."""
        session.due_ms, session.due = at, what
        heapq.heappush(self._queue, (at, "due", session.id))

    def queue_all(self) -> None:
        """Rebuild the queue from what the sessions know."""
        self._queue = [(self.cast_ms, "cast", "")] + [(at, "birth", "") for at in self.births]
        for session in self.live_sessions():
            if session.due_ms is not None:
                self._queue.append((session.due_ms, "due", session.id))
            if session.stop_ms is not None:
                self._queue.append((session.stop_ms, "stop", session.id))
        heapq.heapify(self._queue)

    # --- the population ---

    def enter(self, session: Session) -> None:
        self.sessions[session.id] = session
        self.order.append((session.created_ms, session.id))
        if session.live:
            self.live[session.id] = None
            self.guests += session.origin == "api"

    def retire(self, session: Session, at: int) -> None:
        """A session has ended; one of the floor is replaced after a while."""
        self.live.pop(session.id, None)
        self.guests -= session.origin == "api"
        if session.origin == "floor" and len(self.births) + self._floor_live() < self.target:
            self.expect_birth(at)

    def _floor_live(self) -> int:
        return len(self.live) - self.guests

    def expect_birth(self, at: int) -> None:
        wait = Dice(key_of(self.seed, "birth", at, len(self.births))).between(2_000, 40_000)
        self.births.append(at + self.span(wait))
        heapq.heappush(self._queue, (self.births[-1], "birth", ""))

    def give_birth(self, at: int) -> Session:
        session = birth.new_session(self, at)
        session.waiting = birth.new_task(session, at)
        self.enter(session)
        life.begin(self, session, at)
        self._forget_oldest()
        return session

    def _forget_oldest(self) -> None:
        """Keep what is listed bounded, however long this runs."""
        while len(self.order) > 12 * self.size + 2_000:
            place = next((n for n, (_, one) in enumerate(self.order) if one not in self.live), None)
            if place is None:
                return
            del self.sessions[self.order.pop(place)[1]]

    def live_sessions(self) -> Iterator[Session]:
        return (self.sessions[session_id] for session_id in self.live)

    def newest(self, offset: int, count: int) -> Iterable[Session]:
        """A page of sessions, newest createdAt first."""
        upper = len(self.order) - offset
        return [self.sessions[one] for _, one in reversed(self.order[max(0, upper - count) : max(0, upper)])]

    # --- what callers ask for ---

    def create(self, session: Session, prompt: str | None, schema: dict[str, Any] | None) -> None:
        """Enter a session that came over HTTP, with a task or without."""
        at = session.created_ms
        session.waiting = birth.own_task(session, prompt, at, schema) if prompt else None
        session.keep_alive = session.keep_alive or prompt is None
        self.enter(session)
        life.begin(self, session, at)

    def dispatch(self, session: Session, prompt: str, schema: dict[str, Any] | None) -> None:
        life.follow_up(self, session, self.now_ms, birth.own_task(session, prompt, self.now_ms, schema))

    def request_stop(self, session: Session, strategy: str, delay_ms: int | None = None) -> None:
        """Strategy `task` takes effect after a moment, `session` at once; `delay_ms` (wall time) overrides both."""
        if not session.live:
            return
        if delay_ms is None:
            delay_ms = 0 if strategy == "session" else self.span(life.roll(session).between(500, 2_000))
        what = "kill" if strategy == "session" else "halt"
        if delay_ms == 0:
            session.stop_ms = None
            life.EVENTS[what](self, session, self.now_ms)
        elif session.stop_ms is None or (session.stop, what) == ("halt", "kill"):
            session.stop_ms, session.stop = self.now_ms + delay_ms, what
            heapq.heappush(self._queue, (session.stop_ms, "stop", session.id))

    def delete(self, session: Session) -> None:
        """The sandbox is stopped first, as the vendor does; then it is as if it had never been."""
        if session.live:
            life.end(self, session, "stopped", self.now_ms)
        del self.sessions[session.id]
        place = bisect.bisect_left(self.order, (session.created_ms, session.id))
        del self.order[place]

    def running_session(self, prompt: str = "Compare three offers", **fields: object) -> Session:
        """For tests: a session of their own that is already at work."""
        session = birth.new_session(self, self.now_ms, origin="api")
        for name, value in fields.items():
            setattr(session, name, value)
        self.create(session, prompt, session.schema)
        session.status = "idle"
        life.on_start(self, session, self.now_ms)
        return session

    def balance_micros(self) -> int:
        left = OPENING_MICROS - self.spent_micros
        missing = max(0, FLOOR_MICROS - left)
        return left + -(-missing // TOP_UP_MICROS) * TOP_UP_MICROS

    def task_of(self, session: Session) -> Task | None:
        """The task that a picture of the session should show."""
        return session.task or session.waiting
