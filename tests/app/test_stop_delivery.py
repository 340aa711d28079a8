"""From the click to the proof, against the simulator: whatever goes wrong on the way, nothing untrue is said."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from sessions_app.models import AgentSession, AuditEntry, StopRequest
from sessions_app.rules.stopping import LEASE
from sessions_app.stopping import claim, deliver, work
from sessions_app.stopping.request import request_stop
from sessions_app.types import Strategy
from tests.support.stage import Stage, person, staged

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
STRATEGIES = ["task", "session"]
DONE = {"task": {"idle"}, "session": {"stopped"}}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture
def ana():
    return person("ana", "operator")


def answers(stop: StopRequest) -> list[str]:
    return list(stop.attempts.order_by("number").values_list("answer", flat=True))


def stopping(session: AgentSession) -> str:
    return AgentSession.objects.get(pk=session.pk).stopping


# ---- when all is well ------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_from_the_click_to_the_proof(stage, ana, strategy):
    session = stage.running_session()
    stop = stage.click(session, strategy, ana, "it went wild")
    assert stop.state == "verifying" and stop.accepted_at and stopping(session) == strategy
    stage.run(30, until=stop)
    assert stop.state == "confirmed" and answers(stop) == ["accepted"] and stage.posts(session) == 1
    assert (stop.ended_at - stop.requested_at).total_seconds() <= 12
    now = AgentSession.objects.get(pk=session.pk)
    assert now.status in DONE[strategy] and now.stopping == ""
    assert (stop.steps_at_proof, stop.cost_at_proof_microusd) == (now.step_count, now.total_cost_microusd)
    assert stop.steps_at_click <= stop.steps_at_proof


def test_stop_task_spares_the_browser(stage, ana):
    session = stage.running_session()
    stop = stage.click(session, "task", ana)
    stage.run(30, until=stop)
    assert stage.upstream(session).status == "idle"
    assert stop.outcome.startswith("Read twice")


def test_proof_takes_two_reads_that_began_after_the_post(stage, ana):
    session = stage.running_session()
    stop = stage.click(session, "session", ana)
    stage.run(3)
    assert stage.fresh(stop).state == "verifying" and stop.satisfied_at > stop.sent_at
    stage.run(30, until=stop)
    assert (stop.ended_at - stop.satisfied_at).total_seconds() >= 5


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_so_already_is_not_sent(stage, ana, strategy):
    session = stage.running_session()
    stage.stop_upstream(session, "session")
    stop = stage.click(session, strategy, ana)
    assert stop.state == "moot" and stage.posts(session) == 0 and stop.outcome.startswith("Nothing was sent")
    assert stopping(session) == ""


def test_an_audit_entry_stands_before_every_post(stage, ana):
    session = stage.running_session()
    stage.sim.faults.set("server_error=1:0")
    stop = stage.click(session, "session", ana)
    assert answers(stop) == ["unknown"]
    stage.sim.faults.clear()
    stage.run(60, until=stop)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["stop.requested", *["stop.sent"] * stage.posts(session), "stop.ended"]


# ---- when upstream is not well ---------------------------------------------------------------------

STOP = "/sessions/*/stop"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("fault", "first"),
    [
        ({"kind": "stop_drops_after_effect", "count": 1}, "unknown"),
        ({"kind": "drop", "path": STOP, "count": 1}, "unknown"),
        ({"kind": "server_error", "path": STOP, "count": 1}, "unknown"),
        ({"kind": "status", "status": 404, "path": STOP, "count": 1}, "unknown"),
        ({"kind": "status", "status": 409, "path": STOP, "count": 1}, "unknown"),
        ({"kind": "html_200", "path": STOP, "count": 1}, "unknown"),
        ({"kind": "truncate", "path": STOP, "count": 1}, "unknown"),
        ({"kind": "rate_limit", "path": STOP, "count": 1, "retry_after": 2}, "rate_limited"),
        ({"kind": "stop_ignored", "count": 1}, "accepted"),
        ({"kind": "stop_delayed", "seconds": 12, "count": 1}, "accepted"),
    ],
)
def test_one_fault_and_it_gets_there_all_the_same(stage, ana, strategy, fault, first):
    session = stage.running_session()
    stage.sim.faults.set(fault)
    stop = stage.click(session, strategy, ana)
    assert answers(stop) == [first] and stop.is_open
    stage.run(90, until=stop)
    assert stop.state == "confirmed", (answers(stop), stop.state)
    assert stage.upstream(session).status in DONE[strategy]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_good_status_without_effect_is_never_called_stopped(stage, ana, strategy):
    session = stage.running_session(pace_ms=60_000)
    stage.sim.faults.set({"kind": "stop_ignored"})
    stop = stage.click(session, strategy, ana)
    stage.run(590)
    assert stage.fresh(stop).state == "verifying" and set(answers(stop)) == {"accepted"}
    assert stage.posts(session) == 6, "six times at most"
    stage.run(20, until=stop)
    assert stop.state == "failed" and "still goes on" in stop.outcome
    assert stopping(session) == ""


@pytest.mark.parametrize("status", [400, 401, 402, 403, 422])
def test_a_refusal_ends_it_with_the_vendors_words(stage, ana, status):
    session = stage.running_session()
    fault = {"kind": "status", "status": status, "detail": "Not on this plan", "path": STOP}
    stage.sim.faults.set(fault)
    stop = stage.click(session, "task", ana)
    assert stop.state == "rejected" and "Not on this plan" in stop.outcome and stopping(session) == ""
    assert stage.upstream(session).status == "running"


def test_a_slow_answer_keeps_nobody_waiting_and_counts_as_unknown(stage, ana):
    session = stage.running_session()
    stage.sim.faults.set({"kind": "slow", "seconds": 4, "path": STOP, "count": 1})
    stop = stage.click(session, "session", ana)
    assert stop.state == "unknown" and answers(stop) == ["unknown"]
    stage.run(60, until=stop)
    assert stop.state == "confirmed"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_when_nothing_can_be_sent_it_waits_and_says_so(stage, ana, strategy):
    session = stage.running_session(pace_ms=60_000)
    stage.cut_off()
    stop = stage.click(session, strategy, ana)
    assert stop.state == "requested" and answers(stop) == ["not_sent"] and stop.sent_at is None
    stage.run(60)
    assert stage.fresh(stop).state == "requested" and set(answers(stop)) == {"not_sent"}
    stage.reconnect()
    stage.run(60, until=stop)
    assert stop.state == "confirmed" and stage.posts(session) == 1


def test_never_sent_for_ten_minutes_fails_loudly(stage, ana, caplog):
    session = stage.running_session()
    stage.cut_off()
    stop = stage.click(session, "task", ana)
    stage.run(620, until=stop)
    assert stop.state == "failed" and "by hand" in stop.outcome
    assert "was not confirmed" in caplog.text


# ---- never the wrong task --------------------------------------------------------------------------


def test_the_next_task_is_left_alone(stage, ana):
    """The answer is lost after the effect; before anybody looks, a new task has begun."""
    session = stage.running_session()
    stage.sim.faults.set({"kind": "stop_drops_after_effect", "count": 1})
    stop = stage.click(session, "task", ana)
    stage.advance(3)
    stage.next_task(session)
    assert stage.upstream(session).status == "running"
    stage.run(120, until=stop)
    assert stop.state == "confirmed" and "another one runs" in stop.outcome
    assert stage.posts(session) == 1
    assert stage.upstream(session).tasks[-1].ending != "halted"


def test_without_knowing_the_task_it_is_never_sent_again(stage, ana):
    session = stage.running_session(pace_ms=60_000)
    stage.sim.faults.set(
        [{"kind": "stop_ignored"}, {"kind": "server_error", "path": "/sessions/*/messages", "method": "GET"}]
    )
    stop = stage.click(session, "task", ana)
    stage.run(120)
    assert stage.fresh(stop).state == "verifying" and stage.posts(session) == 1


def test_a_stop_that_was_held_up_does_not_hit_a_later_task(stage, ana):
    session = stage.running_session()
    stage.cut_off()
    stop = stage.click(session, "task", ana)
    stage.stop_upstream(session, "task")
    stage.run(30)
    stage.next_task(session)
    stage.reconnect()
    stage.run(60, until=stop)
    assert stop.state == "cancelled" and "another task had begun" in stop.outcome
    assert stage.posts(session) == 0 and stage.upstream(session).status == "running"


# ---- when we are not well --------------------------------------------------------------------------


def test_killed_between_post_and_answer(stage, ana, monkeypatch):
    """The POST arrives, and whoever sent it dies.  After the lease somebody else finds out what came of it."""
    session = stage.running_session()
    stop = request_stop(session, Strategy.TASK, ana, "", timezone.now()).stop

    class Killed(BaseException):
        pass

    def sent_and_killed(stop, deadline_s, post=deliver.post):
        post(stop, deadline_s)
        raise Killed

    monkeypatch.setattr(deliver, "post", sent_and_killed)
    with pytest.raises(Killed):
        work.try_now(stop)
    monkeypatch.undo()
    assert stage.fresh(stop).state == "sending" and answers(stop) == [""]
    stage.run(int(LEASE.total_seconds()) - 1)
    assert stage.fresh(stop).state == "sending", "nobody else touches it before the lease has lapsed"
    stage.run(30, until=stop)
    assert stop.state == "confirmed" and answers(stop) == ["unknown"] and stage.posts(session) == 1


def test_who_slept_through_the_lease_holds_nothing_any_more(stage, ana):
    session = stage.running_session()
    stop = request_stop(session, Strategy.SESSION, ana, "", timezone.now()).stop
    sleeper = claim.claim(stop.pk, timezone.now())
    assert sleeper and claim.claim(stop.pk, timezone.now()) is None
    stage.advance(31)
    assert claim.claim(stop.pk, timezone.now())
    deliver.send(sleeper, work.facts_of(sleeper), {}, 2)
    assert stage.posts(session) == 0 and not answers(stop)


def test_who_may_not_any_more_is_not_obeyed(stage, ana):
    session = stage.running_session()
    stop = request_stop(session, Strategy.TASK, ana, "", timezone.now()).stop
    ana.groups.clear()
    work.try_now(stop)
    assert stage.fresh(stop).state == "cancelled" and stage.posts(session) == 0
    assert "may not" in stop.outcome


def test_a_session_that_is_gone_is_proven_so(stage, ana):
    session = stage.running_session()
    stage.delete_upstream(session)
    stop = stage.click(session, "session", ana)
    stage.run(55)
    assert stage.fresh(stop).is_open
    stage.run(30, until=stop)
    assert stop.state == "confirmed" and "gone" in stop.outcome


# ---- several stops ---------------------------------------------------------------------------------


def test_ending_is_allowed_while_a_stop_task_is_open(stage, ana):
    session = stage.running_session(pace_ms=60_000)
    stage.sim.faults.set({"kind": "stop_ignored", "count": 1})
    gentle = stage.click(session, "task", ana)
    assert stopping(session) == "task"
    harder = stage.click(session, "session", ana)
    assert stopping(session) == "session"
    stage.run(60, until=harder)
    stage.run(60, until=gentle)
    assert (gentle.state, harder.state) == ("confirmed", "confirmed") and stopping(session) == ""


def test_what_ended_does_not_change_any_more(stage, ana):
    session = stage.running_session()
    stop = stage.click(session, "session", ana)
    stage.run(30, until=stop)
    before = StopRequest.objects.filter(pk=stop.pk).values().get()
    stage.run(60)
    assert StopRequest.objects.filter(pk=stop.pk).values().get() == before


# ---- escalation, for those who ticked it -----------------------------------------------------------


def ignored(stage: Stage, ana, **asked) -> tuple[AgentSession, StopRequest]:
    """A running session whose stop-task is accepted and never takes effect."""
    stage.sim.faults.set({"kind": "stop_ignored"})
    session = stage.running_session(pace_ms=20_000)
    stop = request_stop(session, Strategy.TASK, ana, "", timezone.now(), **asked).stop
    work.try_now(stop)
    return session, stop


def test_a_task_that_goes_on_ends_the_session_for_whoever_ticked_that(stage, ana):
    session, stop = ignored(stage, ana, escalate=True)
    stage.run(58)
    assert StopRequest.objects.count() == 1
    stage.sim.faults.clear()
    stage.run(30)
    harder = StopRequest.objects.get(strategy="session")
    assert harder.state == "confirmed" and harder.requested_by == ana and f"#{stop.pk}" in harder.reason
    assert stage.upstream(session).status == "stopped" and not stage.fresh(stop).escalate
    assert AuditEntry.objects.get(action="stop.requested", detail__escalated_from=stop.pk).actor == ana


def test_nothing_escalates_unasked(stage, ana):
    session, _stop = ignored(stage, ana)
    stage.run(120)
    assert StopRequest.objects.count() == 1 and stage.upstream(session).status == "running"


def test_another_task_is_never_ended_for_the_first_ones_sake(stage, ana):
    session, stop = ignored(stage, ana, escalate=True)
    stage.stop_upstream(session, "task")
    stage.advance(3)
    stage.next_task(session)
    stage.run(120)
    assert StopRequest.objects.count() == 1 and stage.upstream(session).status == "running"
    assert stage.fresh(stop).state == "confirmed"


def test_whoever_may_not_end_sessions_any_more_ends_none(stage, ana):
    session, _stop = ignored(stage, ana, escalate=True)
    ana.groups.clear()
    stage.run(90)
    assert stage.upstream(session).status == "running"
    assert not StopRequest.objects.filter(strategy="session", attempts_made__gt=0).exists()


def test_joining_with_the_tick_is_enough(stage, ana):
    session, stop = ignored(stage, ana)
    joined = request_stop(session, Strategy.TASK, person("bo", "operator"), "", timezone.now(), escalate=True)
    assert joined.joined and stage.fresh(stop).escalate
