"""One cycle for one account, against a simulator over HTTP."""

import pytest
from django.utils import timezone

from sessions_app.models import Account, AgentSession, CostHour, Snapshot
from sessions_app.polling import schedule
from sessions_app.polling.sweep import sweep
from sessions_app.simulator.testing import running_simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def account_of(sim, **columns) -> Account:
    return Account.objects.create(
        slug="sim", name="Simulator", base_url=sim.base_url, api_key=sim.key, is_simulator=True, **columns
    )


def swept(account: Account) -> Account:
    """Claim and sweep it, whether it is due or not.  Returns the account as it is then."""
    Account.objects.filter(pk=account.pk).update(next_sweep_at=None)
    account.refresh_from_db()
    assert schedule.claim(account, timezone.now())
    sweep(account)
    account.refresh_from_db()
    return account


def test_a_sweep_brings_the_floor():
    with running_simulator(sessions=40) as sim:
        account = swept(account_of(sim))
        assert account.error == "" and account.last_read_at and account.lease_until is None
        assert AgentSession.objects.count() == account.sessions_upstream == len(sim.world.order)
        assert Snapshot.objects.count() == AgentSession.objects.count()
        assert CostHour.objects.exists()
