"""A stage for stops: a simulator and our own clock, moved together by hand, and sessions that both sides know.

with staged() as stage:
    session = stage.running_session()
    stop = stage.click(session, "task", by=ana)
    stage.run(30)                        # half a minute, second by second, everything due is worked off
    assert stop.state == "confirmed"
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import time_machine
from django.contrib.auth.models import Group, User
from django.utils import timezone

from sessions_app.models import Account, AgentSession, StopRequest
from sessions_app.polling.clients import client_of, redis_client
from sessions_app.polling.ingest import apply_answers
from sessions_app.simulator.model import Session
from sessions_app.simulator.testing import START_MS, RunningSimulator, running_simulator
from sessions_app.simulator.world import World
from sessions_app.stopping import work
from sessions_app.stopping.request import request_stop
from sessions_app.types import Strategy
from sessions_app.upstream.budget import key_of
from tests.support.factories import make_account


class Stage:
    def __init__(self, sim: RunningSimulator, clock: time_machine.Traveller) -> None:
        self.sim, self._clock = sim, clock
        self.account: Account = make_account(base_url=sim.base_url, api_key=sim.key)

    # ---- time ------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Both clocks, and the simulator's world with them; nobody on our side does anything."""
        self._clock.shift(seconds)
        self.sim.advance(seconds)

    def run(self, seconds: int, *, until: StopRequest | None = None) -> None:
        """Second by second, working off what is due; no longer than until that stop has ended."""
        for _ in range(seconds):
            self.advance(1)
            work.work_due()
            if until and not self.fresh(until).is_open:
                return

    def reset(self) -> None:
        """A new world upstream, the same each time, without faults and within reach."""
        simulator = self.sim.simulator
        with simulator.lock:
            simulator.world = World.begun(7, 0, 1.0, simulator.clock.now_ms())
            simulator.requests.clear()
        self.sim.faults.clear()
        self.reconnect()
        redis_client().delete(key_of(self.account.pk))  # what was learned from the last world's 429s

    # ---- sessions and stops ----------------------------------------------------------------------------

    def running_session(self, **fields: object) -> AgentSession:
        """At work upstream for some steps already, and read by us once."""
        upstream = self.sim.running_session(**{"keep_alive": True, "pace_ms": 2_000} | fields)
        self.advance(10)
        return self.read(upstream.id)

    def read(self, uuid: UUID | str) -> AgentSession:
        """As the poller would."""
        answer = client_of(self.account).session(UUID(str(uuid)))
        apply_answers(self.account, [answer])
        return AgentSession.objects.get(uuid=answer.session.uuid)

    def upstream(self, session: AgentSession) -> Session:
        return self.sim.world.sessions[str(session.uuid)]

    def next_task(self, session: AgentSession) -> None:
        """Somebody gives the idle session another task, which starts at once or nearly."""
        with self.sim.simulator.lock:
            self.sim.world.dispatch(self.upstream(session), "Another task altogether", None)
        self.advance(2)

    def stop_upstream(self, session: AgentSession, strategy: str) -> None:
        """Somebody else stops it, in the vendor's console."""
        with self.sim.simulator.lock:
            self.sim.world.request_stop(self.upstream(session), strategy)

    def delete_upstream(self, session: AgentSession) -> None:
        with self.sim.simulator.lock:
            self.sim.world.delete(self.upstream(session))

    def cut_off(self) -> None:
        """Upstream can't be reached any more: nobody listens at its address."""
        Account.objects.filter(pk=self.account.pk).update(base_url="http://127.0.0.1:9/api/v3")

    def reconnect(self) -> None:
        Account.objects.filter(pk=self.account.pk).update(base_url=self.sim.base_url)

    def click(
        self, session: AgentSession, strategy: str, by: User | None = None, reason: str = ""
    ) -> StopRequest:
        """What the view does: write it down, then try at once."""
        asked = request_stop(session, Strategy(strategy), by, reason, timezone.now())
        work.try_now(asked.stop)
        return self.fresh(asked.stop)

    def fresh(self, stop: StopRequest) -> StopRequest:
        stop.refresh_from_db()
        return stop

    def posts(self, session: AgentSession) -> int:
        """How often upstream saw a stop of this session."""
        return self.sim.calls("POST", f"/sessions/{session.uuid}/stop")


@contextmanager
def staged() -> Iterator[Stage]:
    with running_simulator(sessions=0, clock="manual") as sim:
        with time_machine.travel(datetime.fromtimestamp(START_MS / 1000, UTC), tick=False) as clock:
            yield Stage(sim, clock)


def person(name: str, role: str) -> User:
    user = User.objects.create_user(name, password="correct-horse")
    user.groups.add(Group.objects.get(name=role))
    return user
