"""The fast lane: what somebody has open, and what was woken."""

import threading
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connections

from sessions_app.live import wake, watching
from sessions_app.models import Account, AgentSession
from sessions_app.polling import ages, watched
from sessions_app.polling.clients import budget_of
from sessions_app.simulator.testing import running_simulator
from tests.support.sweeping import account_of, row_of, swept

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def sim():
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


@pytest.fixture
def account(sim) -> Account:
    return account_of(sim)


def reads(sim, upstream) -> int:
    return sim.calls("GET", f"/sessions/{upstream.id}")


def rested(account: Account, upstream) -> None:
    """As if it had been read a while ago."""
    watched.redis_client().delete(f"ages:read:{account.pk}")


def test_an_open_session_is_read_by_itself_and_no_other(sim, account):
    opened, other = sim.running_session(), sim.running_session()
    swept(account)
    watching.note([row_of(opened).pk])
    rested(account, opened)
    sim.advance(30)
    assert watched.read_due() == 1
    assert row_of(opened).version == 2 and row_of(other).version == 1
    assert watched.read_due() == 0, "it has just been read"


def test_it_is_read_each_second_while_it_is_open(sim, account):
    opened = sim.running_session()
    swept(account)
    began = time.monotonic()
    gaps, last = [], began
    while time.monotonic() - began < 3:
        watching.note([row_of(opened).pk])
        if watched.read_due():
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
        time.sleep(0.1)
    assert len(gaps) >= 3
    assert all(gap >= watched.AGAIN_AFTER_S - 0.1 for gap in gaps[1:])


def test_a_sweep_that_has_just_read_it_counts(sim, account):
    opened = sim.running_session()
    swept(account)
    watching.note([row_of(opened).pk])
    assert watched.read_due() == 0 and reads(sim, opened) == 0


def test_who_is_woken_is_read_at_once_and_once(sim, account):
    upstream = sim.running_session()
    swept(account)
    sim.advance(30)
    wake.session(account.pk, UUID(upstream.id))
    assert watched.read_due() == 1
    assert row_of(upstream).version == 2
    assert watched.read_due() == 0 and wake.waiting() == []


def test_whom_a_sweep_has_read_since_the_word_is_not_read_again(sim, account):
    living, ending = sim.running_session(), sim.running_session()
    account = swept(account)
    for upstream in (living, ending):
        wake.session(account.pk, UUID(upstream.id))
    with sim.simulator.lock:
        sim.world.request_stop(sim.world.sessions[ending.id], "session")
    sim.advance(30)
    swept(account)
    assert row_of(ending).status == "stopped"
    sim.requests.clear()
    assert watched.read_due() == 0 and not sim.requests and wake.waiting() == []


def test_a_flood_of_words_does_not_hold_up_what_is_open(sim, account):
    """Nor does it take what sweeps need: that is what `woken` may have of a budget."""
    opened, *others = [sim.running_session() for _ in range(41)]
    account = swept(account)
    rested(account, opened)
    for upstream in others:
        wake.session(account.pk, UUID(upstream.id))
    watching.note([row_of(opened).pk])
    budget = budget_of(account.pk)
    budget.refused(1)
    time.sleep(1.2)
    while budget.take(1, "live").granted:
        pass  # a sweep is short
    sim.requests.clear()
    assert watched.read_due() >= 1 and reads(sim, opened) == 1
    assert len(sim.requests) <= 1 + watched.MOST_PER_ROUND / 2
    assert len(wake.waiting()) >= 40 - watched.MOST_PER_ROUND / 2


def test_a_session_that_nobody_knew_is_brought_by_its_word(sim, account):
    swept(account)
    upstream = sim.running_session()
    wake.session(account.pk, UUID(upstream.id))
    assert watched.read_due() == 1
    assert row_of(upstream).status == "running"


def test_a_word_about_nothing_costs_one_request(sim, account):
    swept(account)
    wake.session(account.pk, uuid4())
    assert watched.read_due() == 0
    sim.requests.clear()
    assert watched.read_due() == 0 and not sim.requests


def test_an_account_that_fails_is_left_to_the_sweep(sim, account):
    upstream = sim.running_session()
    swept(account)
    sim.faults.set(server_error=1)
    wake.session(account.pk, UUID(upstream.id))
    assert watched.read_due() == 0
    assert row_of(upstream).unread_since
    asked = len(sim.requests)
    watched.read_due()
    assert len(sim.requests) == asked, "it rests"
    assert wake.waiting(), "and nothing is forgotten"
    sim.faults.clear()
    watched.redis_client().delete(f"watched:rest:{account.pk}")
    assert watched.read_due() == 1 and row_of(upstream).unread_since is None


@pytest.mark.parametrize("columns", [{"is_active": False}, {"error_kind": "unauthorized"}])
def test_a_paused_or_failing_account_is_not_asked(sim, account, columns):
    upstream = sim.running_session()
    account = swept(account)
    if "error_kind" in columns:
        columns |= {"failing_since": account.last_read_at}
    Account.objects.update(**columns)
    sim.requests.clear()
    wake.session(account.pk, UUID(upstream.id))
    watching.note([row_of(upstream).pk])
    assert watched.read_due() == 0 and not sim.requests


def test_an_account_that_hangs_delays_no_other(sim, account):
    with running_simulator(sessions=0, seed=8, clock="manual") as slow:
        hanging = account_of(slow, slug="slow")
        stuck, brisk = slow.running_session(), sim.running_session()
        swept(account), swept(hanging)
        slow.faults.set(slow="1:4")
        sim.advance(30)
        wake.session(hanging.pk, UUID(stuck.id))
        wake.session(account.pk, UUID(brisk.id))
        lane = threading.Thread(target=watched.read_due)
        lane.start()
        until = time.monotonic() + 1.5
        while row_of(brisk).version == 1 and time.monotonic() < until:
            time.sleep(0.02)
        assert row_of(brisk).version == 2 and lane.is_alive()
        lane.join(10)
        assert AgentSession.objects.get(uuid=stuck.id).unread_since


def test_where_what_is_open_fails_words_are_not_tried_in_the_same_round(sim, account):
    """The round of all accounts ends with the slowest: one that hangs must not hang twice."""
    opened, woken = sim.running_session(), sim.running_session()
    swept(account)
    watching.note([row_of(opened).pk])
    rested(account, opened)
    wake.session(account.pk, UUID(woken.id))
    sim.faults.set(server_error=1)
    assert watched.read_due() == 0
    assert reads(sim, opened) and not reads(sim, woken) and wake.waiting()


def test_without_budget_a_word_waits(sim, account):
    upstream = sim.running_session()
    swept(account)
    sim.requests.clear()
    budget_of(account.pk).refused(300)
    wake.session(account.pk, UUID(upstream.id))
    assert watched.read_due() == 0 and not sim.requests
    assert wake.waiting() and row_of(upstream).unread_since is None


def test_two_lanes_do_not_read_the_same(sim, account):
    opened = sim.running_session()
    swept(account)
    watching.note([row_of(opened).pk])
    rested(account, opened)
    sim.faults.set(slow="1:0.5")
    lanes = [threading.Thread(target=watched.read_due) for _ in range(3)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join(10)
    assert reads(sim, opened) == 1


def test_ages_never_go_back(account):
    uuid = uuid4()
    now = watched.timezone.now()
    ages.note(account.pk, {uuid: now})
    ages.note(account.pk, {uuid: now - timedelta(seconds=5)})
    assert abs((ages.known(account.pk, [uuid])[uuid] - now).total_seconds()) < 0.001


def test_a_heap_of_ticks_is_one_round(sim, account, monkeypatch):
    monkeypatch.setattr(watched, "STAY_S", 0)
    opened = sim.running_session()
    swept(account)
    watching.note([row_of(opened).pk])
    before = reads(sim, opened)
    for _ in range(3):
        rested(account, opened)
        watched.redis_client().set("watched:tick", 1, px=60_000)
        watched.read_until_the_next_tick()
    assert reads(sim, opened) == before
    watched.redis_client().delete("watched:tick")
    watched.read_until_the_next_tick()
    assert reads(sim, opened) > before


def test_rounds_go_on_while_no_tick_comes_and_end_when_one_does(sim, account, monkeypatch):
    monkeypatch.setattr(watched, "STAY_S", 60)
    opened = sim.running_session()
    swept(account)
    first = threading.Thread(target=_in_a_thread, args=(watched.read_until_the_next_tick,))
    first.start()
    for count in (1, 2, 3):
        _wait_until(lambda: watching.note([row_of(opened).pk]) or reads(sim, opened) >= count)  # noqa: B023
    monkeypatch.setattr(watched, "STAY_S", 0)
    _wait_until(lambda: not watched.redis_client().exists("watched:tick"))
    watched.read_until_the_next_tick()
    first.join(30)
    assert not first.is_alive()


def _in_a_thread(work) -> None:
    try:
        work()
    finally:
        connections.close_all()


def _wait_until(true) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
