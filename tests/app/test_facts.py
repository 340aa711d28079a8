"""Balances and names, read now and then."""

import pytest

from sessions_app.models import Account, UpstreamName
from sessions_app.polling import facts
from sessions_app.simulator.testing import running_simulator
from tests.support.sweeping import account_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def sim():
    with running_simulator(sessions=0) as running:
        yield running


def test_balance_project_and_names(sim):
    account_of(sim)
    facts.refresh_all()
    account = Account.objects.get()
    assert account.balance_microusd > 0 and account.project_id and account.project_name == "Simulated project"
    assert account.concurrent_browsers == 250 and account.balance_read_at and account.names_read_at
    known = set(UpstreamName.objects.values_list("kind", "name"))
    assert known == {("profile", one["name"]) for one in sim.world.profiles} | {
        ("workspace", one["name"]) for one in sim.world.workspaces
    }


def test_not_more_often_than_needed(sim):
    account_of(sim)
    facts.refresh_all()
    before = len(sim.requests)
    facts.refresh_all()
    assert len(sim.requests) == before


def test_a_new_name_replaces_the_old_and_a_deleted_one_stays(sim):
    account = account_of(sim)
    facts.read_names(account)
    count = UpstreamName.objects.count()
    sim.world.profiles[0]["name"] = "Renamed"
    del sim.world.profiles[1]
    facts.read_names(account)
    assert UpstreamName.objects.count() == count and UpstreamName.objects.filter(name="Renamed").exists()


def test_a_failure_leaves_the_old_and_does_not_stop_the_others(sim):
    account_of(sim, slug="bad", api_key="wrong")
    account_of(sim, slug="good")
    facts.refresh_all()
    assert Account.objects.get(slug="bad").balance_read_at is None
    assert Account.objects.get(slug="good").balance_microusd > 0
