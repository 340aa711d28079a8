"""Several accounts, some of which hang, are refused, or have no credits: the others are read as if they were alone."""

import socket
import time
from collections.abc import Iterator

import pytest
from django.db.models import Min
from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling import schedule, turns
from sessions_app.simulator.testing import RunningSimulator, running_simulator
from tests.support.sweeping import account_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(sessions=0) as running:
        yield running


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v3"


def hang(number: int, silent_address: str, **columns: object) -> list[Account]:
    """Accounts that are due before all others, and don't answer."""
    return [
        Account.objects.create(
            slug=f"hanging-{n}", name=f"Hanging {n}", base_url=silent_address, api_key=f"bu_{n}", **columns
        )
        for n in range(number)
    ]


def test_accounts_that_hang_delay_no_other(sim, silent_address):
    hang(5, silent_address)
    session = sim.running_session()
    good = account_of(sim, slug="good", next_sweep_at=timezone.now())
    swept = turns.sweep_due_accounts()
    good.refresh_from_db()
    first_given_up = Account.objects.aggregate(at=Min("failing_since"))["at"]
    assert sim.requests[0]["time"] < first_given_up.timestamp(), (
        "it was read while the others were waited for"
    )
    assert swept > 5 + 2, "again and again within those ten seconds"
    assert good.failing_since is None
    assert AgentSession.objects.get().uuid.hex == session.id.replace("-", "")
    assert Account.objects.filter(slug__startswith="hanging", error_kind="timed_out").count() == 5


def test_however_many_hang_there_is_a_place_for_one_that_does_not(sim, silent_address):
    """They failed before, are due first, and would take every place for ten seconds each."""
    hang(turns.AT_ONCE + 2, silent_address, failures=3, failing_since=timezone.now(), error_kind="timed_out")
    account_of(sim, slug="good", next_sweep_at=timezone.now())
    began = time.time()
    turns.sweep_due_accounts()
    assert sim.requests[0]["time"] - began < 10, "it was read before the first of the others was given up"
    assert Account.objects.get(slug="good").last_read_at


def test_only_the_well_are_claimed_when_the_others_have_their_share():
    now = timezone.now()
    ill = Account.objects.create(
        slug="ill", name="Ill", base_url="http://127.0.0.1:9", api_key="x", failures=1
    )
    well = Account.objects.create(slug="well", name="Well", base_url="http://127.0.0.1:9", api_key="y")
    assert schedule.claim_next(now, well_only=True) == well
    assert schedule.claim_next(now, well_only=True) is None
    assert schedule.claim_next(now) == ill


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "unauthorized"), (402, "payment_required"), (503, "server_fault")]
)
def test_an_account_that_is_refused_waits_alone(sim, status, kind):
    account_of(sim, slug="good")
    with running_simulator(sessions=0, key="bu_other") as other:
        other.faults.set({"kind": "status", "status": status})
        bad = account_of(other, slug="bad")
        turns.sweep_due_accounts()
    bad.refresh_from_db()
    assert bad.error_kind == kind and bad.error
    assert Account.objects.get(slug="good").failing_since is None
    assert Account.objects.get(slug="good").last_read_at
