"""What upstream may do wrong, and what a sweep makes of it."""

import pytest
from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling import sweep as sweep_module
from sessions_app.simulator.testing import running_simulator
from tests.support.sweeping import account_of, pause_s, row_of, swept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sim():
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


@pytest.fixture
def account(sim) -> Account:
    """Read once, with a session."""
    sim.running_session()
    return swept(account_of(sim))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 401}, "unauthorized"),
        ({"kind": "status", "status": 403}, "unauthorized"),
        ({"kind": "status", "status": 402}, "payment_required"),
        ({"kind": "server_error"}, "server_fault"),
        ({"kind": "html_200"}, "bad_reply"),
        ({"kind": "truncate"}, "disconnected"),
        ({"kind": "drop"}, "disconnected"),
        ({"kind": "canned", "body": '{"sessions": 7}'}, "bad_reply"),
    ],
)
def test_a_failure_is_said_and_the_age_tells(sim, account, fault, kind):
    read_at = account.last_read_at
    sim.faults.set(fault)
    account = swept(account)
    assert account.error_kind == kind and account.error and account.failures == 1
    assert account.failing_since and account.last_read_at == read_at and account.lease_until is None
    assert AgentSession.objects.get().is_live
    sim.faults.clear()
    account = swept(account)
    assert not account.error_kind and not account.failing_since and not account.failures
    assert account.last_read_at > read_at


def test_a_server_that_is_not_there(account):
    Account.objects.update(base_url="http://127.0.0.1:9/api/v3")
    account = swept(account)
    assert account.error_kind == "not_sent" and pause_s(account) < 60


@pytest.mark.parametrize(
    ("said", "least", "most"), [(7, 5, 7), (-1, 0, 1), (10**9, 295, 300), ("none", 0, 4), ("date", 0, 300)]
)
def test_a_429_is_obeyed_within_reason(sim, account, said, least, most):
    sim.faults.set({"kind": "rate_limit", "retry_after": said})
    account = swept(account)
    assert (
        account.error_kind == "rate_limited" and least <= pause_s(account) + 0.5 and pause_s(account) <= most
    )


def test_a_bad_key_pauses_that_account_only(sim, account):
    other = account_of(sim, slug="other", api_key="wrong")
    pauses = [pause_s(swept(other)) for _ in range(6)]
    assert 4 < pauses[0] < 6 and 9 < pauses[1] < 11 and 55 < pauses[-1] < 61
    assert not swept(account).error_kind


def test_failures_in_a_row_are_counted_from_the_first(sim, account):
    sim.faults.set(server_error=1)
    since = swept(account).failing_since
    account = swept(account)
    assert account.failures == 2 and account.failing_since == since


def test_our_own_failure_is_said_too(sim, account, monkeypatch):
    monkeypatch.setattr(sweep_module.attention, "refresh", lambda *_: 1 / 0)
    account = swept(account)
    assert account.error_kind == "internal" and "ZeroDivisionError" in account.error


def test_a_broken_record_spoils_nothing_else(sim, account):
    broken, healthy = sim.running_session(), sim.running_session()
    account = swept(account)
    sim.force(broken.id, status=7)
    sim.advance(30)
    account = swept(account)
    assert not account.error_kind and row_of(healthy).version > 1
    [aside] = account.set_aside
    assert aside["uuid"] == broken.id and "status" in aside["error"]
    assert row_of(broken).unread_since
    sim.force(broken.id, status="running")
    account = swept(account)
    assert account.set_aside == [] and row_of(broken).unread_since is None


def test_a_record_without_an_id_is_set_aside(sim, account):
    sim.force(sim.running_session().id, id=None)
    account = swept(account)
    assert "id is missing" in account.set_aside[0]["error"] and AgentSession.objects.count() == 1


def test_strange_values_pass(sim, account):
    for _ in range(20):
        sim.running_session()
    sim.faults.set("unknown_enums,new_fields")
    account = swept(account)
    assert not account.error and AgentSession.objects.filter(status="hibernating", is_live=True).exists()


@pytest.mark.parametrize("cost", ["1e3", "", ".", "٣.٥", "NaN", "1" * 30])
def test_a_cost_off_the_contract_keeps_the_last(sim, account, cost):
    [upstream] = sim.world.sessions.values()
    before = row_of(upstream).total_cost_microusd
    sim.force(upstream.id, totalCostUsd=cost)
    account = swept(account)
    assert row_of(upstream).total_cost_microusd == before
    assert row_of(upstream).oddities[0][0] == "totalCostUsd"


def test_a_session_that_cannot_be_read_alone_is_marked(sim, account):
    [upstream] = sim.world.sessions.values()
    sim.world.order.clear()
    sim.faults.set({"kind": "server_error", "path": f"/sessions/{upstream.id}"})
    account = swept(account)
    assert not account.error_kind and row_of(upstream).unread_since
    sim.faults.clear()
    swept(account)
    assert row_of(upstream).unread_since is None and row_of(upstream).version == 3


def test_who_lost_the_lease_leaves_the_account_alone(sim, account, monkeypatch):
    """Another worker took it while we were waiting for an answer."""
    taken = timezone.now()

    def steal(*_):
        Account.objects.update(lease_until=taken, next_sweep_at=taken)

    monkeypatch.setattr(sweep_module.attention, "refresh", steal)
    account = swept(account)
    assert account.lease_until == taken and account.next_sweep_at == taken
