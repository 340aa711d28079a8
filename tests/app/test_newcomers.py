"""New sessions in a list of no order: their browsers tell of them."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling import newcomers
from sessions_app.polling.cycle import Cycle
from sessions_app.polling.places import Memory, keep, recall
from sessions_app.rules.pages import Extent, NewAt, Place
from sessions_app.simulator.testing import running_simulator
from tests.support.sweeping import account_of, swept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sim():
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


def cycle_of(account: Account, new_at: NewAt, *, grown_by: int = 1, later_s: float = 0) -> Cycle:
    """A sweep whose pages had nothing new, though the list has grown."""
    cycle = Cycle(account)
    cycle.started_at = timezone.now() + timedelta(seconds=later_s)
    cycle.memory = recall(account.pk)
    cycle.memory.new_at = new_at
    cycle.extent = Extent((account.sessions_upstream or 0) + grown_by, 100)
    return cycle


def test_a_browser_of_a_session_that_nobody_knows_gives_it_away(sim):
    known = sim.running_session()
    account = swept(account_of(sim))
    new = sim.running_session()
    cycle = cycle_of(account, NewAt.ANYWHERE)
    assert newcomers.unknown(cycle) == [UUID(new.id)] and sim.calls("GET", "/browsers") == 1
    assert newcomers.unknown(cycle) == [], "not again at once"
    cycle.read_alone([UUID(new.id)])
    assert set(AgentSession.objects.values_list("uuid", flat=True)) == {UUID(known.id), UUID(new.id)}


def test_a_session_that_has_no_browser_yet_is_looked_for_a_while_longer(sim):
    account = swept(account_of(sim))
    first = cycle_of(account, NewAt.ANYWHERE)
    assert newcomers.unknown(first) == []
    keep(account.pk, first.memory, ())
    new = sim.running_session()
    assert newcomers.unknown(cycle_of(account, NewAt.ANYWHERE, grown_by=0, later_s=3)) == []
    assert newcomers.unknown(cycle_of(account, NewAt.ANYWHERE, grown_by=0, later_s=7)) == [UUID(new.id)]
    assert newcomers.unknown(cycle_of(account, NewAt.ANYWHERE, grown_by=0, later_s=130)) == []


def test_nobody_asks_where_the_list_has_an_order_or_upstream_has_no_such_call(sim):
    account = swept(account_of(sim))
    sim.running_session()
    for new_at in (NewAt.FRONT, NewAt.BACK):
        assert newcomers.unknown(cycle_of(account, new_at)) == []
    assert sim.calls("GET", "/browsers") == 0
    sim.faults.set({"kind": "status", "status": 404, "path": "/browsers"})
    assert newcomers.unknown(cycle_of(account, NewAt.ANYWHERE)) == []


def test_what_was_learned_outlives_the_sweep():
    memory = Memory({UUID(int=5): Place(7, 90), UUID(int=6): Place(8, 90)}, NewAt.BACK, 12.0, 9.0)
    keep(1, memory, {UUID(int=5)})
    assert recall(1) == Memory({UUID(int=5): Place(7, 90)}, NewAt.BACK, 12.0, 9.0)
