"""One cycle for one account, against a simulator over HTTP."""

from datetime import timedelta

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions_app.models import Account, AgentSession, CostHour, SessionDetail, Snapshot
from sessions_app.polling import schedule, turns
from sessions_app.polling.sweep import sweep
from sessions_app.simulator.testing import running_simulator
from tests.support.sweeping import account_of, backdate, pause_s, row_of, swept

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def sim():
    """An empty upstream whose clock only moves when told to."""
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


def test_a_sweep_brings_the_floor():
    with running_simulator(sessions=40) as sim:
        account = swept(account_of(sim))
        assert account.error == "" and account.last_read_at and account.lease_until is None
        assert AgentSession.objects.count() == account.sessions_upstream == len(sim.world.order)
        # One at least: on a slow machine a session may have moved on between two of the sweep's readings.
        assert Snapshot.objects.values("session").distinct().count() == AgentSession.objects.count()
        assert CostHour.objects.exists() and pause_s(account) <= 1.8


def test_a_change_is_there_after_the_next_sweep(sim):
    upstream = sim.running_session()
    account = swept(account_of(sim))
    steps = row_of(upstream).step_count
    sim.advance(30)
    swept(account)
    assert row_of(upstream).step_count > steps and row_of(upstream).version == 2


def test_nothing_changed_nothing_written_but_the_account(sim):
    for _ in range(3):
        sim.running_session()
    account = swept(account_of(sim))
    before = list(AgentSession.objects.order_by("pk").values())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        swept(account)
    writes = [q["sql"] for q in queries if q["sql"].lstrip().split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert len(writes) == 3  # this test's own, the claim, the release
    assert all("sessions_app_account" in sql for sql in writes)
    assert list(AgentSession.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("sessions", [1, 30])
def test_a_sweep_asks_as_many_questions_for_thirty_as_for_one(sim, sessions, django_assert_max_num_queries):
    for _ in range(sessions):
        sim.running_session()
    account = swept(account_of(sim))
    sim.advance(60)
    Account.objects.update(next_sweep_at=None)
    account.refresh_from_db()
    schedule.claim(account, timezone.now())
    with django_assert_max_num_queries(20):
        assert sweep(account)
    assert AgentSession.objects.filter(version__gt=1).count() >= sessions


def test_a_just_ended_session_is_read_alone_until_it_has_settled(sim):
    upstream = sim.running_session(recording=True)
    account = swept(account_of(sim))
    sim.advance(20)
    _end(sim, upstream)
    account = swept(account)
    ended = row_of(upstream)
    assert ended.status == "stopped" and not ended.is_live
    assert sim.calls("GET", f"/sessions/{upstream.id}") == 0
    AgentSession.objects.update(ended_at=timezone.now() - timedelta(seconds=6))
    Account.objects.update(last_read_at=timezone.now() - timedelta(seconds=3))
    swept(account)
    assert sim.calls("GET", f"/sessions/{upstream.id}") == 1
    assert SessionDetail.objects.get().recording_urls.startswith(sim.origin)
    AgentSession.objects.update(ended_at=timezone.now() - timedelta(seconds=700))
    swept(account)
    assert sim.calls("GET", f"/sessions/{upstream.id}") == 1


def test_absence_from_the_list_proves_nothing(sim):
    """Deleted upstream: missing after one 404, gone after a second one a minute later."""
    upstream = sim.running_session()
    account = swept(account_of(sim))
    _vanish(sim, upstream)
    swept(account)
    assert row_of(upstream).missing_since and row_of(upstream).is_live
    swept(account)
    assert row_of(upstream).gone_at is None, "not asked again within the minute"
    backdate(missing_since=61, observed_at=120)
    swept(account)
    gone = row_of(upstream)
    assert gone.gone_at and not gone.is_live and gone.burn_microusd_per_min == 0
    assert AgentSession.objects.count() == 1, "marked, not deleted"


def test_a_session_that_only_left_the_list_lives_on(sim):
    upstream = sim.running_session()
    account = swept(account_of(sim))
    sim.world.order.clear()
    sim.advance(30)
    swept(account)
    assert row_of(upstream).missing_since is None and row_of(upstream).version == 2


def test_a_gone_session_comes_back(sim):
    upstream = sim.running_session()
    account = swept(account_of(sim))
    backdate(gone_at=5, missing_since=90)
    AgentSession.objects.update(is_live=False)
    swept(account)
    assert row_of(upstream).is_live and row_of(upstream).gone_at is None


def test_an_ended_session_that_was_deleted_is_found_out_too(sim):
    upstream = sim.running_session()
    _end(sim, upstream)
    account = swept(account_of(sim))
    _vanish(sim, upstream)
    for _ in range(2):
        Account.objects.update(next_reconcile_at=None)
        swept(account)
        backdate(missing_since=61, observed_at=120)
    assert row_of(upstream).gone_at


def test_one_after_the_other_until_none_is_due(sim):
    for number in range(3):
        account_of(sim, slug=f"a{number}")
    account_of(sim, slug="resting", is_active=False)
    assert turns.sweep_due_accounts() == 3
    assert turns.sweep_due_accounts() == 0
    assert Account.objects.filter(last_read_at=None).count() == 1


def _end(sim, upstream) -> None:
    body = {"strategy": "session"}
    assert httpx.post(
        f"{sim.base_url}/sessions/{upstream.id}/stop", headers=sim.headers, json=body
    ).is_success
    sim.advance(5)


def _vanish(sim, upstream) -> None:
    """Delete it upstream, as its owner can."""
    assert httpx.delete(f"{sim.base_url}/sessions/{upstream.id}", headers=sim.headers).is_success
