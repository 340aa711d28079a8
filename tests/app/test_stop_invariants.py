"""The invariants of stopping, on the real code, database and HTTP, whatever happens in whatever order.

Hypothesis plays the people, the vendor, the killer and the clock; after every step the invariants are checked.
WATCHFLOOR_EXAMPLES=500 plays longer.
"""

import os
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from sessions_app.access import audit
from sessions_app.models import AgentSession, AuditEntry, StopRequest
from sessions_app.models.stop import OPEN_STATES
from sessions_app.rules.stopping import LATE_AFTER
from sessions_app.stopping import claim, deliver, work
from sessions_app.stopping.request import request_stop
from sessions_app.types import FINAL_STATUSES, Strategy
from tests.support.stage import Stage, person, staged

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases, pytest.mark.timeout(900)]

STOP, MESSAGES = "/sessions/*/stop", "/sessions/*/messages"
FAULTS: list[dict[str, Any]] = [
    {"kind": "stop_ignored", "count": 1},
    {"kind": "stop_ignored", "count": 3},
    {"kind": "stop_drops_after_effect", "count": 1},
    {"kind": "drop", "path": STOP, "count": 1},
    {"kind": "truncate", "path": STOP, "count": 1},
    {"kind": "html_200", "path": STOP, "count": 1},
    {"kind": "server_error", "path": STOP, "count": 2},
    {"kind": "status", "status": 404, "path": STOP, "count": 1},
    {"kind": "status", "status": 409, "path": STOP, "count": 1},
    {"kind": "status", "status": 403, "path": STOP, "count": 1},
    {"kind": "rate_limit", "path": STOP, "count": 2, "retry_after": 3},
    {"kind": "server_error", "path": MESSAGES, "method": "GET", "count": 3},
    {"kind": "server_error", "path": "/sessions", "method": "GET", "count": 3},
    {"kind": "status", "status": 404, "path": "/sessions", "method": "GET", "count": 2},
    *({"kind": "stop_delayed", "seconds": seconds, "count": 1} for seconds in (1, 4, 15, 40, 120)),
]


class Killed(BaseException):
    """kill -9, as far as a process can do that to itself."""


class Floor(RuleBasedStateMachine):
    """One session upstream, and everything that can be done to it from either side."""

    stage: Stage
    ana: Any

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.savepoint_create()
        self.stage.reset()
        self.session = self.stage.running_session(pace_ms=20_000)
        self.upstream = self.stage.upstream(self.session)
        self.meant: dict[int, int] = {}  # stop → number of the task that its first POST may have hit
        self.at_click: dict[int, int] = {}
        self.ended: dict[int, dict[str, Any]] = {}

    # ---- what people do --------------------------------------------------------------------------------

    @rule(strategy=st.sampled_from(Strategy), escalate=st.booleans())
    def click(self, strategy: Strategy, escalate: bool) -> None:
        escalate = escalate and strategy == Strategy.TASK
        asked = request_stop(self.session, strategy, self.ana, "", timezone.now(), escalate=escalate)
        self.at_click.setdefault(asked.stop.pk, self.task)
        self.work(lambda: work.try_now(asked.stop))

    # ---- what time does --------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 1, 2, 5, 6, 21, 31, 65]))
    def wait(self, seconds: float) -> None:
        self.stage.advance(seconds)
        self.work(work.work_due)

    @rule(seconds=st.sampled_from([3, 30, 600]))
    def nobody_works_for(self, seconds: float) -> None:
        self.stage.advance(seconds)

    # ---- what the vendor does --------------------------------------------------------------------------

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def faults_begin(self, faults: list[dict[str, Any]]) -> None:
        self.stage.sim.faults.set(*faults)

    @rule()
    def faults_end(self) -> None:
        self.stage.sim.faults.clear()
        self.stage.reconnect()

    @rule()
    def nobody_listens(self) -> None:
        self.stage.cut_off()

    # No preconditions: what upstream is depends on its own dice, and Hypothesis wants to draw the same twice.

    @rule()
    def another_task_begins(self) -> None:
        if self.exists and self.upstream.status == "idle" and self.upstream.waiting is None:
            self.stage.next_task(self.session)

    @rule()
    def the_task_ends_by_itself(self) -> None:
        if self.exists and self.upstream.status == "running":
            self.stage.stop_upstream(self.session, "task")

    @rule()
    def the_session_is_deleted(self) -> None:
        if self.exists and self.task > 1:
            self.stage.delete_upstream(self.session)

    # ---- who dies --------------------------------------------------------------------------------------

    @rule(when=st.sampled_from(["before the post", "after the post"]))
    def whoever_sends_next_is_killed(self, when: str) -> None:
        real = deliver.post

        def killed(stop: StopRequest, deadline_s: float) -> deliver.Result:
            if when == "after the post":
                real(stop, deadline_s)
            raise Killed

        deliver.post = killed
        try:
            if held := claim.claim_next(timezone.now()):
                self.work(lambda: work.step(held, work.BEHIND_THE_SCENES))
        except Killed:
            pass
        finally:
            deliver.post = real

    # ---- what must be true -----------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        return self.upstream.id in self.stage.sim.world.sessions

    @property
    def task(self) -> int:
        return len(self.upstream.tasks)

    def work(self, step: Any) -> None:
        """Our side does something; no time passes meanwhile, so what upstream is now is what it was all along."""
        sent_before = self.sends_of_task_stops()
        posts_before = self.stage.posts(self.session)
        try:
            step()
        finally:
            for pk, sends in self.sends_of_task_stops().items():
                if sends > sent_before.get(pk, 0):
                    self.a_task_stop_went_out(pk)
            posts = self.stage.posts(self.session) - posts_before
            sent = sum(self.sends_of_all().values())
            assert posts <= sent

    def a_task_stop_went_out(self, pk: int) -> None:
        if pk in self.meant:
            assert self.task == self.meant[pk], "a stop-task was sent again, to another task"
        elif timezone.now() - StopRequest.objects.get(pk=pk).requested_at > LATE_AFTER:
            assert self.task == self.at_click[pk], "a stop-task that left late hit a task that nobody meant"
        self.meant.setdefault(pk, self.task)

    def sends_of_all(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for pk in AuditEntry.objects.filter(action="stop.sent").values_list("detail__stop", flat=True):
            found[int(pk)] = found.get(int(pk), 0) + 1
        return found

    def sends_of_task_stops(self) -> dict[int, int]:
        """Attempts that may have arrived, by stop."""
        stops = StopRequest.objects.filter(strategy="task", session=self.session)
        return {stop.pk: work.facts_of(stop).sends for stop in stops}

    def is_so(self, stop: StopRequest) -> bool:
        """Upstream, now."""
        if not self.exists or self.upstream.status in FINAL_STATUSES:
            return True
        if stop.strategy == Strategy.SESSION:
            return False
        meant = self.meant.get(stop.pk, self.at_click[stop.pk])
        return self.upstream.status == "idle" or self.task != meant

    @invariant()
    def at_most_one_open_stop_of_each_strategy(self) -> None:
        if not hasattr(self, "session"):
            return
        open_ones = list(self.stops(state__in=OPEN_STATES).values_list("strategy", flat=True))
        assert len(open_ones) == len(set(open_ones))
        shown = AgentSession.objects.get(pk=self.session.pk).stopping
        assert shown == ("session" if "session" in open_ones else "task" if open_ones else "")

    @invariant()
    def an_audit_entry_before_every_post(self) -> None:
        if hasattr(self, "session"):
            assert self.stage.posts(self.session) <= sum(self.sends_of_all().values())

    @invariant()
    def what_is_claimed_is_true_and_stays_as_it_is(self) -> None:
        if not hasattr(self, "session"):
            return
        for stop in self.stops().exclude(state__in=OPEN_STATES):
            row = StopRequest.objects.filter(pk=stop.pk).values().get()
            if stop.pk not in self.ended:
                assert stop.state not in ("confirmed", "moot") or self.is_so(stop), stop.state
                assert stop.state != "moot" or stop.sent_at is None
                self.ended[stop.pk] = row
            assert self.ended[stop.pk] == row, "an end has changed"

    def stops(self, **by: Any) -> Any:
        return StopRequest.objects.filter(session=self.session, **by)

    def teardown(self) -> None:
        """Once the faults are over, everything ends; and the chain holds."""
        if hasattr(self, "session"):
            self.settle()
            transaction.savepoint_rollback(self.savepoint)

    def settle(self) -> None:
        self.faults_end()
        for _ in range(140):
            if not self.stops(state__in=OPEN_STATES).exists():
                break
            self.stage.advance(5)
            self.work(work.work_due)
            self.what_is_claimed_is_true_and_stays_as_it_is()
        assert not self.stops(state__in=OPEN_STATES).exists(), "a stop never ended"
        assert audit.verify().bad is None


def test_the_invariants_hold():
    with staged() as stage:
        Floor.stage, Floor.ana = stage, person("ana", "operator")
        run_state_machine_as_test(
            Floor,
            settings=settings(
                max_examples=int(os.environ.get("WATCHFLOOR_EXAMPLES", "25")),
                stateful_step_count=25,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
