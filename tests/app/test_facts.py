"""Balances and names, read now and then."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sessions_app.models import Account, BalanceHour, UpstreamName
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


def test_what_the_balance_stood_at_is_kept_for_the_books(sim):
    account = account_of(sim)
    facts.refresh_all()
    account.refresh_from_db()
    row = BalanceHour.objects.get(account=account)
    assert row.closing_microusd == account.balance_microusd is not None
    assert row.read_at == account.balance_read_at


def test_not_more_often_than_needed(sim):
    account_of(sim)
    facts.refresh_all()
    before = len(sim.requests)
    facts.refresh_all()
    assert len(sim.requests) == before


def again(**columns: Any) -> None:
    """All over again, whatever was read."""
    Account.objects.update(facts_due_at=None, names_read_at=None, **columns)
    facts.refresh_all()


def test_a_new_name_replaces_the_old_and_a_deleted_one_stays(sim):
    account_of(sim)
    facts.refresh_all()
    count = UpstreamName.objects.count()
    sim.world.profiles[0]["name"] = "Renamed"
    del sim.world.profiles[1]
    again()
    assert UpstreamName.objects.count() == count and UpstreamName.objects.filter(name="Renamed").exists()


def test_a_failure_leaves_the_old_and_does_not_stop_the_others(sim):
    account_of(sim, slug="bad", api_key="wrong")
    account_of(sim, slug="good")
    facts.refresh_all()
    assert Account.objects.get(slug="bad").balance_read_at is None
    assert Account.objects.get(slug="good").balance_microusd > 0


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v3"


def test_accounts_that_hang_are_waited_for_together_and_delay_no_other(sim, silent_address):
    """One after the other they took ten seconds each, and the last ones' turn never came."""
    for number in range(5):
        account_of(sim, slug=f"a-hanging-{number}", base_url=silent_address)
    account_of(sim, slug="z-good")
    began = timezone.now()
    facts.refresh_all()
    assert Account.objects.get(slug="z-good").balance_microusd > 0
    assert timezone.now() - began < timedelta(seconds=2 * facts.LONGEST_S), "five of them took fifty seconds"
    assert not Account.objects.filter(slug__startswith="a-", balance_read_at__isnull=False).exists()
    assert Account.objects.get(slug="a-hanging-0").facts_due_at > began + timedelta(seconds=60)


def test_a_failure_is_not_repeated_at_every_tick(sim):
    account_of(sim, api_key="wrong")
    facts.refresh_all()
    before = len(sim.requests)
    facts.refresh_all()
    assert len(sim.requests) == before


@pytest.mark.parametrize("kind", facts.LEFT_TO_THE_SWEEP)
def test_who_cannot_be_read_is_not_asked_for_money_either(sim, kind):
    account_of(sim, failing_since=timezone.now(), error_kind=kind)
    facts.refresh_all()
    assert len(sim.requests) == 0
    again(failing_since=None, error_kind="")
    assert Account.objects.get().balance_microusd > 0


def test_an_account_without_credits_still_says_how_much_there_is(sim):
    account_of(sim, failing_since=timezone.now(), error_kind="payment_required")
    facts.refresh_all()
    assert Account.objects.get().balance_read_at


def test_a_paused_account_is_not_asked(sim):
    account_of(sim, is_active=False)
    facts.refresh_all()
    assert len(sim.requests) == 0
