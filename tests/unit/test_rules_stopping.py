"""When a stop is sent, sent again, proven and given up: the table of `docs/stops.md`, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.rules.stopping import (
    LONGEST,
    MOST_SENDS,
    Next,
    Outcome,
    Reading,
    State,
    Stop,
    after_no_reading,
    after_reading,
    after_sending,
    satisfied,
)
from sessions_app.types import Strategy

CLICK = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return CLICK + timedelta(seconds=seconds)


def asked(strategy: str = "task", **known) -> Stop:
    return Stop(strategy, State.REQUESTED, CLICK, **known)


def sent(strategy: str = "task", state: State = State.VERIFYING, **known) -> Stop:
    """Sent one second after the click, accepted unless said otherwise; the task is known as "m1"."""
    defaults = {"sent_at": at(1), "sends": 1, "tries": 1, "accepted": state == State.VERIFYING, "task": "m1"}
    return Stop(strategy, state, CLICK, **defaults | known)


def read(seconds: float, status: str, **known) -> Reading:
    return Reading(at(seconds), status, **known)


def decide(stop: Stop, reading: Reading) -> Next:
    """The decision right after the reading."""
    return after_reading(stop, reading, reading.read_at + timedelta(milliseconds=50))


@pytest.mark.parametrize(
    ("strategy", "status", "wanted"),
    [
        ("session", "stopped", True), ("session", "timed_out", True), ("session", "error", True),
        ("session", "idle", False), ("session", "running", False), ("session", "created", False),
        ("session", "hibernating", False), ("task", "idle", True), ("task", "stopped", True),
        ("task", "error", True), ("task", "running", False), ("task", "created", False),
        ("task", "hibernating", False), ("task", "", False),
    ],
)  # fmt: skip
def test_what_satisfies(strategy, status, wanted):
    assert satisfied(sent(strategy), read(2, status)) is wanted


def test_a_session_that_is_proven_gone_satisfies_both():
    assert all(satisfied(sent(strategy), read(2, "", gone=True)) for strategy in Strategy)


def test_another_task_satisfies_stop_task_but_not_end_session():
    assert satisfied(sent("task"), read(2, "running", task="m2"))
    assert not satisfied(sent("session"), read(2, "running", task="m2"))


@pytest.mark.parametrize(("then", "now"), [("", "m2"), ("m1", ""), ("", ""), ("m1", "m1")])
def test_a_task_that_is_not_provably_another_does_not_satisfy(then, now):
    assert not satisfied(sent("task", task=then), read(2, "running", task=now))


# ---- before anything was sent ----------------------------------------------------------------------


@pytest.mark.parametrize("strategy", Strategy)
def test_it_was_so_already(strategy):
    assert decide(asked(strategy), read(0.1, "stopped")).state == State.MOOT


def test_a_read_begun_before_the_click_does_not_make_it_moot():
    assert decide(asked(), read(-1, "idle")).state == State.REQUESTED


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("status", ["running", "created", "hibernating"])
def test_otherwise_it_is_sent_at_once(strategy, status):
    decision = decide(asked(strategy), read(0.1, status))
    assert decision.state == State.REQUESTED and decision.due_at <= at(0.2)


def test_a_first_send_does_not_wait_for_a_read():
    assert after_no_reading(asked(), at(1)) == Next(State.REQUESTED, at(1))


def test_not_sent_for_ten_minutes_is_a_failure():
    assert after_no_reading(asked(), CLICK + LONGEST).state == State.FAILED
    assert decide(asked("session"), read(600, "running")).state == State.FAILED


def test_a_stop_that_was_held_up_does_not_hit_a_task_that_nobody_had_seen():
    held_up = asked("task", known_at=at(-2))
    assert decide(held_up, read(60, "running", task="m2", task_at=at(30))).state == State.CANCELLED
    assert decide(held_up, read(60, "running", task="m1", task_at=at(-40))).state == State.REQUESTED
    assert decide(held_up, read(2, "running", task="m2", task_at=at(30))).state == State.REQUESTED
    ending = asked("session", known_at=at(-2))
    assert decide(ending, read(60, "running", task="m2", task_at=at(30))).state == State.REQUESTED


# ---- the answer to the POST ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.ACCEPTED, State.VERIFYING),
        (Outcome.UNKNOWN, State.UNKNOWN),
        (Outcome.NOT_SENT, State.REQUESTED),
        (Outcome.LATER, State.REQUESTED),
        (Outcome.REFUSED, State.REJECTED),
    ],
)
def test_what_an_answer_leads_to(outcome, state):
    assert after_sending(asked(), outcome, at(1)).state == state


def test_an_answer_alone_never_confirms():
    assert {after_sending(asked(), outcome, at(1)).state for outcome in Outcome}.isdisjoint(
        {State.CONFIRMED, State.MOOT}
    )


def test_a_refusal_after_a_send_that_may_have_arrived_is_not_the_last_word():
    assert after_sending(sent(state=State.REQUESTED), Outcome.REFUSED, at(9)).state == State.UNKNOWN


def test_a_stop_waits_as_long_as_upstream_asks_but_not_for_minutes():
    assert after_sending(asked(), Outcome.LATER, at(1), 7).due_at == at(8)
    assert after_sending(asked(), Outcome.LATER, at(1), 300).due_at == at(21)


def test_pauses_grow_while_nothing_can_be_sent():
    waits = [after_sending(asked(tries=n), Outcome.NOT_SENT, at(0)).due_at for n in range(8)]
    assert waits == sorted(waits) and waits[0] == at(1) and waits[-1] == at(15)


# ---- proof -----------------------------------------------------------------------------------------


def test_two_reads_five_seconds_apart_confirm():
    first = decide(sent(), read(2, "idle"))
    assert (first.state, first.satisfied_at, first.due_at) == (State.VERIFYING, at(2), at(7))
    assert decide(sent(satisfied_at=at(2)), read(6.9, "idle")).state == State.VERIFYING
    assert decide(sent(satisfied_at=at(2)), read(7, "idle")).state == State.CONFIRMED


def test_a_read_begun_before_the_post_proves_nothing():
    decision = decide(sent(), read(0.9, "idle"))
    assert decision.state == State.VERIFYING and decision.satisfied_at is None


def test_a_first_proof_from_before_the_last_post_does_not_count():
    again = sent(sent_at=at(30), sends=2, satisfied_at=at(10))
    decision = decide(again, read(40, "idle"))
    assert decision.state == State.VERIFYING and decision.satisfied_at == at(40)


def test_running_again_takes_the_half_proof_back():
    decision = decide(sent(satisfied_at=at(2)), read(7, "running", task="m1"))
    assert decision.state == State.VERIFYING and decision.satisfied_at is None


def test_a_failed_read_keeps_the_half_proof():
    assert after_no_reading(sent(satisfied_at=at(2)), at(8)).satisfied_at == at(2)


def test_a_half_proof_at_ten_minutes_gets_its_second_read():
    assert decide(sent(), read(601, "idle")).state == State.VERIFYING
    assert decide(sent(satisfied_at=at(599)), read(605, "idle")).state == State.CONFIRMED


def test_unknown_is_confirmed_by_reading_like_any_other():
    assert decide(sent(state=State.UNKNOWN, satisfied_at=at(2)), read(8, "idle")).state == State.CONFIRMED


# ---- sending again ---------------------------------------------------------------------------------


def test_accepted_but_without_effect_is_sent_again_after_twenty_seconds():
    assert decide(sent(), read(20.9, "running", task="m1")).state == State.VERIFYING
    assert decide(sent(), read(21.1, "running", task="m1")).state == State.REQUESTED


def test_an_unknown_outcome_is_sent_again_once_a_read_shows_that_it_goes_on():
    unknown = sent(state=State.UNKNOWN)
    assert decide(unknown, read(2, "running", task="m1")).state == State.UNKNOWN
    assert decide(unknown, read(4.1, "running", task="m1")).state == State.REQUESTED


@pytest.mark.parametrize("task_now", ["", "m2"])
def test_never_again_without_a_fresh_proof_of_the_same_task(task_now):
    for state in (State.VERIFYING, State.UNKNOWN, State.REQUESTED):
        decision = decide(sent(state=state), read(60, "running", task=task_now))
        assert decision.state in (State.VERIFYING, State.UNKNOWN)


def test_never_again_when_the_first_task_is_not_known():
    assert decide(sent(task=""), read(60, "running", task="m1")).state == State.VERIFYING


@pytest.mark.parametrize("status", ["created", "hibernating"])
def test_stop_task_is_not_sent_again_to_what_does_not_run(status):
    assert decide(sent(), read(60, status, task="m1")).state == State.VERIFYING


def test_ending_is_sent_again_without_knowing_the_task():
    assert decide(sent("session", task=""), read(60, "hibernating")).state == State.REQUESTED


def test_not_more_than_six_times():
    for strategy in Strategy:
        worn = sent(strategy, sends=MOST_SENDS)
        assert decide(worn, read(60, "running", task="m1")).state == State.VERIFYING


def test_ten_minutes_without_proof_are_a_failure():
    assert decide(sent(), read(600, "running", task="m1")).state == State.FAILED
    assert after_no_reading(sent(), at(600)).state == State.FAILED
