"""History gets old and is thinned: in small transactions, again from where it stopped, and costs never change."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dashboard.celery import app
from dashboard.processes.programs import WORKERS
from sessions_app import tasks
from sessions_app.models import (
    Account,
    AgentSession,
    CostHour,
    Screenshot,
    Snapshot,
    Step,
    StopRequest,
    UpkeepPass,
)
from sessions_app.polling.ingest import apply_answers
from sessions_app.queries.curve import curve_of
from sessions_app.queries.timeline import timeline_of
from sessions_app.rules.history import to_ms
from sessions_app.upkeep import history, passes
from tests.support.answers import NOON, answer, at
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MONTHS_LATER = NOON + timedelta(days=90)
NOT_YET_DUE = timedelta(0)


def make_history(session: AgentSession, number: int, every_s: int = 5, since_ms: int = to_ms(NOON)) -> None:
    """So many snapshots, each with a step of its own."""
    moments = [(n, since_ms + n * every_s * 1000) for n in range(number)]
    Snapshot.objects.bulk_create(
        Snapshot(
            session=session, at_ms=at_ms, status_code=3, step_count=n, llm_cost_microusd=n * 7,
            total_cost_microusd=n * 10, tokens_in=n, tokens_out=n,
        )
        for n, at_ms in moments
    )  # fmt: skip
    Step.objects.bulk_create(
        [Step(session=session, number=n, at_ms=at_ms, text=f"Step {n}") for n, at_ms in moments],
        ignore_conflicts=True,
    )


def old_session(number: int = 0, **columns: object) -> AgentSession:
    session = make_session(**{"first_seen_at": NOON, "changed_at": NOON + timedelta(days=1)} | columns)
    make_history(session, number)
    return session


def run_to_end(now=MONTHS_LATER) -> UpkeepPass:
    done = history.work(now, every=NOT_YET_DUE)
    while done and not done.finished_at:
        done = history.work(now, every=NOT_YET_DUE)
    assert done
    return done


def moments(session: AgentSession) -> list[int]:
    return list(
        Snapshot.objects.filter(session_id=session.pk).order_by("at_ms").values_list("at_ms", flat=True)
    )


# ---- what stays ------------------------------------------------------------------------------------

looks = st.lists(
    st.tuples(
        st.sampled_from([3, 40, 400, 5_000, 90_000]) | st.integers(1, 900_000),  # seconds since the last look
        st.sampled_from(["running", "running", "running", "idle", "hibernating", "stopped"]),
        st.integers(-50, 5_000),  # spent since, in micro-dollars
    ),
    min_size=1,
    max_size=40,
)


def tell(account: Account, told: Sequence[tuple[int, str, int]]) -> AgentSession:
    """One session, looked at through the usual door."""
    seconds = total = 0
    for number, (gap, status, spent) in enumerate(told):
        seconds, total = seconds + gap, total + spent
        fields = {"llm_cost_microusd": total // 2, "total_cost_microusd": total, "step_count": number}
        apply_answers(
            account, [answer(seconds, status=status, last_step=f"Step {number}", tokens_in=number, **fields)]
        )
    return AgentSession.objects.get()


def statuses(session: AgentSession) -> list[tuple[int, str]]:
    events = timeline_of(session, None, with_costs=True).events
    return [(event.at_ms, event.state) for event in events if event.kind == "status"]


def spent_by_hour(session: AgentSession) -> dict[int, int]:
    """As the snapshots tell it: the rise from hour to hour."""
    rows = Snapshot.objects.filter(session_id=session.pk).order_by("at_ms")
    ends = {at_ms // 3_600_000: total for at_ms, total in rows.values_list("at_ms", "total_cost_microusd")}
    return {hour: after - before for (_, before), (hour, after) in pairwise(ends.items())}


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks, st.integers(0, 100))
def test_first_last_statuses_and_costs_are_the_same_after_any_pass(told, days):
    AgentSession.objects.all().delete()
    UpkeepPass.objects.all().delete()
    account = Account.objects.first() or make_account()
    session = tell(account, told)
    before = (statuses(session), spent_by_hour(session), moments(session)[0], moments(session)[-1])
    booked = list(CostHour.objects.order_by("hour").values())
    now = session.observed_at + timedelta(days=days)
    rows = len(moments(session))
    done = run_to_end(now)
    assert (statuses(session), spent_by_hour(session), moments(session)[0], moments(session)[-1]) == before
    assert list(CostHour.objects.order_by("hour").values()) == booked
    assert len(moments(session)) == rows - done.deleted
    left = moments(session)
    assert run_to_end(now).deleted == 0 and moments(session) == left
    call_command("verify_costs", verbosity=0)
    curve = curve_of(session, now, with_costs=True)
    assert curve and len(curve.points) <= len(left) and curve.total_line.startswith("M")
    assert curve.points[-1].total_cost_microusd == session.total_cost_microusd


def test_every_snapshot_of_the_last_days_stays():
    session = old_session()
    make_history(session, 100, since_ms=to_ms(MONTHS_LATER - timedelta(days=6)))
    assert run_to_end().deleted == 0 and len(moments(session)) == 100


def test_the_policy_is_a_setting(settings):
    session = old_session(720)
    settings.HISTORY_FULL_DAYS = 0
    assert run_to_end().deleted == 0
    settings.HISTORY_FULL_DAYS, settings.HISTORY_FINE_DAYS = 1, 0
    run_to_end()
    assert len(moments(session)) == 13  # the first, and the last of each five minutes
    settings.HISTORY_FINE_DAYS = 30
    run_to_end()
    assert len(moments(session)) == 2


def test_what_a_stop_was_about_stays(settings):
    session = old_session(700)
    StopRequest.objects.create(
        session=session, strategy="task", state="confirmed", requested_by_name="Ada", due_at=at(60),
        requested_at=at(62), satisfied_at=at(71), ended_at=at(80),
    )  # fmt: skip
    run_to_end()
    assert [(at_ms - to_ms(NOON)) // 1000 for at_ms in moments(session)] == [0, 60, 65, 70, 75, 80, 3495]
    assert StopRequest.objects.count() == 1


def test_summaries_of_steps_go_with_what_showed_them_but_not_those_under_a_picture():
    session = old_session(700)
    Step.objects.filter(number__in=[300, 301]).delete()
    for step in (20, 301):
        Screenshot.objects.create(
            session=session, taken_at=at(5 * step), step_count=step, content_hash=f"{step:064}", width=1,
            height=1, stored_bytes=1,
        )  # fmt: skip
    done = run_to_end()
    # 0 and 699 have snapshots; picture 20 has a summary, and picture 301 is shown with the last one before it.
    assert list(Step.objects.order_by("number").values_list("number", flat=True)) == [0, 20, 299, 699]
    assert (done.looked_at, done.deleted, done.texts_deleted) == (700, 698, 694)


def test_the_timeline_says_what_a_step_cost_since_the_one_before_it_that_is_left():
    session = old_session(700, step_count=699, total_cost_microusd=6_990)
    run_to_end()
    steps = [e for e in timeline_of(session, None, with_costs=True).events if e.kind == "step"]
    assert [(step.number, step.cost_microusd) for step in steps] == [(699, 6_990), (0, 0)]


# ---- how it is done --------------------------------------------------------------------------------


def deleted_per_transaction(queries: Sequence[dict[str, str]]) -> list[int]:
    """Rows named in DELETE statements between one BEGIN and its COMMIT, transaction by transaction."""
    found, inside = [0], False
    for sql in (query["sql"] for query in queries):
        if sql.startswith("BEGIN"):
            found.append(0)
            inside = True
        elif sql.startswith("COMMIT"):
            inside = False
        elif "DELETE FROM" in sql:
            assert inside or "upkeeppass" in sql, sql
            times = sql.partition(" times: ")[0]
            found[-1] += int(times) if times.isdigit() else 1
    return found


@pytest.mark.django_db(transaction=True)
def test_no_transaction_deletes_more_than_a_few_hundred_rows():
    for _ in range(3):
        old_session(900)
    with CaptureQueriesContext(connection) as queries:
        done = run_to_end()
    batches = [number for number in deleted_per_transaction(queries.captured_queries) if number > 1]
    assert sum(batches) == done.deleted + done.texts_deleted == 2 * 3 * 897
    assert max(batches) == history.ROWS_PER_TRANSACTION == 500


@pytest.mark.django_db(transaction=True)
def test_between_two_transactions_nothing_is_locked(monkeypatch):
    """In each pause another worker lets an answer in, and would fail at once if it had to wait for anybody."""
    account = make_account()
    apply_answers(account, [answer(0)])
    old_session(1_200)
    failures: list[Exception] = []
    written: list[int] = []

    def write() -> None:
        at_once = "PRAGMA busy_timeout = 0" if connection.vendor == "sqlite" else "SET lock_timeout = '1ms'"
        try:
            with connection.cursor() as cursor:
                cursor.execute(at_once)
            seconds = 10 + len(written)
            written.extend(apply_answers(account, [answer(seconds, step_count=seconds)]).changed)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    def pause(_: float) -> None:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(30)

    monkeypatch.setattr(history.time, "sleep", pause)
    run_to_end()
    assert not failures
    assert len(written) == 6  # three batches of snapshots and three of summaries, and a pause after each


def test_a_pass_stops_when_its_time_is_up_and_the_next_worker_goes_on():
    sessions = [old_session(700) for _ in range(2)]
    first = history.work(MONTHS_LATER, at_a_time_s=0)
    assert first and first.finished_at is None
    assert (first.place, first.deleted, first.lease_until) == (0, history.ROWS_PER_TRANSACTION, None)
    turns = 1
    while (done := history.work(MONTHS_LATER, at_a_time_s=0)) and not done.finished_at:
        assert done.pk == first.pk
        turns += 1
    assert done and done.pk == first.pk and turns == 7
    assert (done.looked_at, done.deleted, done.texts_deleted) == (1400, 1396, 1396)
    assert [len(moments(session)) for session in sessions] == [2, 2]
    assert history.work(MONTHS_LATER) is None  # nothing is due for an hour


def test_one_worker_at_a_time_and_a_dead_one_is_replaced():
    old_session(10)
    claimed = passes.claim(UpkeepPass.HISTORY, MONTHS_LATER, history.EVERY)
    assert claimed
    assert history.work(MONTHS_LATER + timedelta(seconds=30)) is None
    taken_over = history.work(MONTHS_LATER + timedelta(minutes=3))
    assert taken_over and taken_over.pk == claimed.pk


def test_only_one_pass_is_open():
    assert passes._begin(UpkeepPass.HISTORY, NOON, {})
    assert passes._begin(UpkeepPass.HISTORY, NOON, {}) is None


def test_a_pass_that_was_begun_under_a_harder_policy_spares_what_the_new_one_keeps(settings):
    settings.HISTORY_FULL_DAYS = 1
    session = old_session(700)
    passes.let_go(
        passes.claim(UpkeepPass.HISTORY, MONTHS_LATER, history.EVERY, full_until_ms=to_ms(MONTHS_LATER))
    )
    settings.HISTORY_FULL_DAYS = 365
    done = history.work(MONTHS_LATER)
    assert done and done.finished_at and len(moments(session)) == 700


def test_the_next_pass_looks_only_at_what_got_old_since():
    still = old_session(700)
    grows = old_session(700, is_live=True)
    run_to_end()
    since = MONTHS_LATER + timedelta(hours=2)
    AgentSession.objects.filter(pk=grows.pk).update(changed_at=since)
    make_history(grows, 100, since_ms=to_ms(MONTHS_LATER))
    make_history(
        still, 100, since_ms=to_ms(NOON + timedelta(days=2))
    )  # which cannot be: nothing changed there
    done = run_to_end(since + timedelta(days=60))
    assert (done.looked_at, done.deleted) == (102, 99)
    assert len(moments(still)) == 102 and len(moments(grows)) == 3


# ---- said and shown --------------------------------------------------------------------------------


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("prune_history", *arguments, stdout=out)
    return out.getvalue()


@time_machine.travel(MONTHS_LATER, tick=True)
def test_a_dry_run_says_what_would_go_and_then_it_goes():
    session = old_session(700)
    would = said("--dry-run")
    assert "700 snapshots of 1 sessions are old enough: 698 would go, 2 stay. 698 summaries" in would
    assert len(moments(session)) == 700 and not UpkeepPass.objects.exists()
    assert "700 snapshots were old enough: 698 are gone, 2 stay. 698 summaries" in said()
    assert len(moments(session)) == 2


def test_the_command_does_not_push_a_worker_aside():
    assert passes.claim(UpkeepPass.HISTORY, timezone.now(), history.EVERY)
    with pytest.raises(CommandError, match="A worker is at it"):
        said()


def test_nought_days_are_said_to_be_for_ever(settings):
    settings.HISTORY_FULL_DAYS = 0
    assert "every snapshot stays for ever" in said("--dry-run")


def test_the_task_is_on_the_timetable_and_not_on_a_queue_of_polling():
    entry = app.conf.beat_schedule["history"]
    assert entry["task"] == tasks.thin_history.name
    assert WORKERS[entry["options"]["queue"]] != WORKERS["poll"]
    tasks.thin_history()
    assert UpkeepPass.objects.get().finished_at
