"""Mistakes that somebody could make in stopping, planted one at a time: the invariants catch each of them.

The nights are what each mistake takes to show.  Chance finds them too, in thousands of runs (test_stop_invariants
with WATCHFLOOR_EXAMPLES=5000), which is too long for every day.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from sessions_app.models import StopRequest
from sessions_app.rules import stopping as rules
from sessions_app.rules.stopping import Next, Outcome, Reading, State, Stop
from sessions_app.stopping import claim, deliver, ending, verify, work
from sessions_app.types import Status, Strategy
from tests.app.test_stop_invariants import Floor
from tests.support.stage import Stage, person, staged

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases, pytest.mark.timeout(600)]

# ---- nights ------------------------------------------------------------------------------------------


def an_accepted_stop_does_nothing_and_the_next_task_begins(floor: Any) -> None:
    floor.faults_begin([{"kind": "stop_ignored"}])
    floor.click(Strategy.TASK, escalate=False)
    floor.wait(5)
    floor.the_task_ends_by_itself()
    floor.nobody_works_for(3)
    floor.another_task_begins()
    floor.faults_end()
    for _ in range(4):
        floor.wait(21)


def the_session_goes_on_after_an_accepted_end(floor: Any) -> None:
    floor.faults_begin([{"kind": "stop_ignored"}])
    floor.click(Strategy.SESSION, escalate=False)
    for _ in range(3):
        floor.wait(6)


def the_effect_comes_late(floor: Any) -> None:
    floor.faults_begin([{"kind": "stop_delayed", "seconds": 40, "count": 1}])
    floor.click(Strategy.SESSION, escalate=False)
    for _ in range(12):
        floor.wait(6)


def the_answer_is_lost_after_the_effect(floor: Any) -> None:
    floor.faults_begin([{"kind": "stop_drops_after_effect", "count": 1}])
    floor.click(Strategy.SESSION, escalate=False)
    for _ in range(4):
        floor.wait(6)


def an_idle_session_is_to_be_ended(floor: Any) -> None:
    floor.the_task_ends_by_itself()
    floor.nobody_works_for(3)
    floor.faults_begin([{"kind": "stop_ignored"}])
    floor.click(Strategy.SESSION, escalate=False)
    floor.wait(6)
    floor.wait(6)


def reading_answers_404_for_a_moment(floor: Any) -> None:
    floor.faults_begin(
        [
            {"kind": "stop_ignored"},
            {"kind": "status", "status": 404, "path": "/sessions", "method": "GET", "count": 2},
        ]
    )
    floor.click(Strategy.SESSION, escalate=False)
    for _ in range(3):
        floor.wait(6)


def the_sender_is_killed_after_the_post(floor: Any) -> None:
    floor.nobody_listens()
    floor.click(Strategy.TASK, escalate=False)
    floor.faults_end()
    floor.nobody_works_for(3)
    floor.whoever_sends_next_is_killed("after the post")
    floor.nobody_works_for(30)
    floor.another_task_begins()
    for _ in range(4):
        floor.wait(21)


def it_could_not_leave_until_another_task_ran(floor: Any) -> None:
    floor.nobody_listens()
    floor.click(Strategy.TASK, escalate=False)
    floor.nobody_works_for(30)
    floor.the_task_ends_by_itself()
    floor.nobody_works_for(3)
    floor.another_task_begins()
    floor.faults_end()
    floor.wait(21)


def nobody_can_tell_which_task_runs(floor: Any) -> None:
    messages = {"kind": "server_error", "path": "/sessions/*/messages", "method": "GET"}
    floor.faults_begin([{"kind": "stop_ignored"}, messages])
    floor.click(Strategy.TASK, escalate=False)
    floor.the_task_ends_by_itself()
    floor.nobody_works_for(3)
    floor.another_task_begins()
    for _ in range(3):
        floor.wait(21)


def two_clicks(floor: Any) -> None:
    floor.faults_begin([{"kind": "stop_ignored"}])
    floor.click(Strategy.SESSION, escalate=False)
    floor.click(Strategy.SESSION, escalate=False)


NIGHTS: list[Callable[[Any], None]] = [
    an_accepted_stop_does_nothing_and_the_next_task_begins,
    the_session_goes_on_after_an_accepted_end,
    the_effect_comes_late,
    the_answer_is_lost_after_the_effect,
    an_idle_session_is_to_be_ended,
    reading_answers_404_for_a_moment,
    the_sender_is_killed_after_the_post,
    it_could_not_leave_until_another_task_ran,
    nobody_can_tell_which_task_runs,
    two_clicks,
]

# ---- mistakes ----------------------------------------------------------------------------------------

_after_sending, _after_proof, _satisfied = rules.after_sending, rules._after_proof, rules.satisfied
_after_reading = rules.after_reading


def sends_again_without_asking_which_task_runs(stop: Stop, reading: Reading, now: datetime) -> bool:
    return stop.sends == 0 or rules._is_time_to_send_again(stop, now)


def believes_the_answer_to_the_post(
    stop: Stop, outcome: Outcome, now: datetime, retry_after_s: float | None = None
) -> Next:
    decision = _after_sending(stop, outcome, now, retry_after_s)
    return decision._replace(state=State.CONFIRMED) if outcome == Outcome.ACCEPTED else decision


def takes_no_answer_for_a_refusal(
    stop: Stop, outcome: Outcome, now: datetime, retry_after_s: float | None = None
) -> Next:
    if outcome == Outcome.UNKNOWN:
        return Next(State.MOOT, now)
    return _after_sending(stop, outcome, now, retry_after_s)


def says_it_was_so_already(stop: Stop, reading: Reading) -> Next:
    decision = _after_proof(stop, reading)
    return decision._replace(state=State.MOOT) if decision.state == State.CONFIRMED else decision


def takes_idle_for_ended(stop: Stop, reading: Reading) -> bool:
    return _satisfied(stop, reading) or reading.status == Status.IDLE


def takes_one_404_for_gone(stop: StopRequest, client: Any) -> verify.Read:
    return verify.Read(Reading(work.timezone.now(), stop.session.status, gone=True), {})


def believes_what_it_cannot_read(stop: Stop, now: datetime) -> Next:
    return Next(State.CONFIRMED if stop.sends else State.REQUESTED, now)


def sends_however_late(stop: Stop, reading: Reading, now: datetime) -> bool:
    return False


def forgets_that_the_dead_may_have_sent(stop: StopRequest) -> None:
    stop.attempts.filter(answer="").update(answer=Outcome.NOT_SENT)
    claim.put(stop, state=State.REQUESTED, sent_at=None)


def lets_the_session_show_that_it_is_stopping_for_ever(session: Any, now: datetime) -> None:
    return None


def posts_before_it_writes_that_down(stop: StopRequest, learned: Any) -> Any:
    deliver.post(stop, 5.0)
    return _begin(stop, learned)


_begin = deliver._begin
MISTAKES: list[tuple[Any, str, Any]] = [
    (rules, "may_send", sends_again_without_asking_which_task_runs),
    (deliver, "after_sending", believes_the_answer_to_the_post),
    (deliver, "after_sending", takes_no_answer_for_a_refusal),
    (rules, "_after_proof", says_it_was_so_already),
    (rules, "satisfied", takes_idle_for_ended),
    (verify, "_missing", takes_one_404_for_gone),
    (work, "after_no_reading", believes_what_it_cannot_read),
    (rules, "is_too_late", sends_however_late),
    (work, "_bury_the_dead", forgets_that_the_dead_may_have_sent),
    (ending, "show_stopping", lets_the_session_show_that_it_is_stopping_for_ever),
    (deliver, "_begin", posts_before_it_writes_that_down),
]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged() as stage:
        Floor.stage, Floor.ana = stage, person("ana", "operator")
        yield stage


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.__name__)
def test_every_night_ends_well(stage: Stage, night: Callable[[Any], None]) -> None:
    play(night)


@pytest.mark.parametrize(
    ("module", "name", "mistake"), MISTAKES, ids=lambda part: getattr(part, "__name__", part)
)
def test_a_mistake_shows(stage: Stage, monkeypatch: Any, module: Any, name: str, mistake: Any) -> None:
    monkeypatch.setattr(module, name, mistake)
    assert any(map(ends_badly, NIGHTS)), f"no night shows that {mistake.__name__.replace('_', ' ')}"


def ends_badly(night: Callable[[Any], None]) -> bool:
    try:
        play(night)
    except AssertionError:
        return True
    return False


def play(night: Callable[[Any], None]) -> None:
    """With the invariants after each step, and once more when all that was open has ended."""
    floor = Floor()
    floor.begin()
    try:
        night(_Watched(floor))
        floor.settle()
    finally:
        transaction.savepoint_rollback(floor.savepoint)


class _Watched:
    """Checks the invariants after whatever is called."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def __getattr__(self, name: str) -> Callable[..., None]:
        step = getattr(self._floor, name)

        def watched(*arguments: Any, **named: Any) -> None:
            step(*arguments, **named)
            self._floor.at_most_one_open_stop_of_each_strategy()
            self._floor.an_audit_entry_before_every_post()
            self._floor.what_is_claimed_is_true_and_stays_as_it_is()

        return watched
