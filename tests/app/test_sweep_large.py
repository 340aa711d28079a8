"""Accounts with more pages than one sweep reads."""

from uuid import UUID

import pytest
from django.core.cache import cache

from sessions_app.models import Account, AgentSession
from sessions_app.polling import ages, reconcile
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.polling.places import recall
from sessions_app.rules.pages import NewAt
from sessions_app.simulator.testing import running_simulator
from tests.support.sweeping import account_of, swept

pytestmark = pytest.mark.django_db(transaction=True)
SESSIONS = 450


@pytest.fixture
def sim():
    """Five pages or more, with a clock that stands."""
    with running_simulator(sessions=SESSIONS // 3, clock="manual") as running:
        while len(running.world.order) < SESSIONS:
            running.advance(600)
        yield running


def imported(sim) -> Account:
    account = swept(account_of(sim))
    for _ in range(20):
        if account.reconciled_at:
            return account
        account = swept(account)
    raise AssertionError("the import does not end")


def test_the_first_import_comes_in_pieces_and_what_is_live_does_not_wait(sim, monkeypatch):
    monkeypatch.setattr(reconcile, "PIECE_S", 0.0001)
    account = swept(account_of(sim))
    assert account.last_read_at and account.reconciled_at is None and account.reconcile_page == 5
    account = swept(account)
    assert account.reconcile_page in (1, 9) and account.failures == 0


def test_an_import_is_complete(sim):
    account = imported(sim)
    assert AgentSession.objects.count() == len(sim.world.order)
    assert account.reconcile_page == 1 and account.next_reconcile_at > account.reconciled_at


def test_then_a_sweep_asks_only_where_live_sessions_stand(sim):
    account = imported(sim)
    swept(account)
    sim.requests.clear()
    sim.advance(20)
    account = swept(account)
    live = {one.id for one in sim.world.live_sessions()}
    ranks = [n for n, one in enumerate(sim.world.newest(0, 10**6)) if one.id in live]
    needed = {1} | {rank // 100 + 1 for rank in ranks}
    assert len(sim.requests) <= 1.15 * len(needed) + 1
    known = AgentSession.objects.in_bulk(live, field_name="uuid")
    assert {str(uuid) for uuid in known} == live
    for one in sim.world.live_sessions():
        assert AgentSession.objects.get(uuid=one.id).step_count == one.steps


@pytest.mark.parametrize("order", ["oldest", "random", "updated"])
def test_no_order_of_the_list_hides_what_is_live(sim, order):
    """Shuffled anew for each request, a list need not show everything in one reading; what is known stays fresh."""
    sim.faults.set({"kind": "order", "order": order})
    account = imported(sim)
    for _ in range(4):
        sim.advance(3)
        account = swept(account)
    live = {one.id: one.steps for one in sim.world.live_sessions()}
    known = {str(uuid): row for uuid, row in AgentSession.objects.in_bulk(live, field_name="uuid").items()}
    assert order == "random" or known.keys() == live.keys()
    stale = [uuid for uuid, row in known.items() if row.step_count != live[uuid]]
    assert len(stale) <= (len(known) // 2 if order == "random" else 0)


def test_a_new_session_at_the_far_end_is_found(sim):
    sim.faults.set({"kind": "order", "order": "oldest"})
    account = imported(sim)
    new = sim.running_session()
    swept(account)
    assert AgentSession.objects.filter(uuid=new.id).exists()


def test_a_cache_that_forgot_costs_requests_but_no_session(sim):
    account = imported(sim)
    cache.clear()
    sim.advance(10)
    swept(account)
    for one in sim.world.live_sessions():
        assert AgentSession.objects.get(uuid=one.id).step_count == one.steps


def test_a_page_that_fails_is_said_and_the_others_land(sim):
    account = imported(sim)
    sim.faults.set({"kind": "server_error", "count": 1, "path": "/sessions"})
    assert swept(account).error_kind == "server_fault"
    account = swept(account)
    assert not account.error_kind


def test_pages_that_shift_while_we_read_are_complete_after_two_readings(sim):
    sim.faults.set("shift_pages")
    account = imported(sim)
    Account.objects.update(next_reconcile_at=None)
    before = {str(one) for _, one in list(sim.world.order)}
    account.refresh_from_db()
    swept(account)
    stored = {str(uuid) for uuid in AgentSession.objects.values_list("uuid", flat=True)}
    assert not before - stored


def test_who_was_read_for_a_webhook_is_not_looked_for_all_over_the_list(sim):
    account = swept(imported(sim))
    for _ in range(3):
        new = sim.running_session()
        apply_answers(account, [client_of(account).session(UUID(new.id))])
        account = swept(account)
        assert recall(account.pk).new_at == NewAt.FRONT
        assert sim.calls("GET", "/browsers") == 0
    assert account.sessions_upstream == len(sim.world.order)


def test_who_was_found_by_a_sweep_that_was_killed_is_not_looked_for_either(sim, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    account = swept(imported(sim))
    new = sim.running_session()
    monkeypatch.setattr("sessions_app.polling.sweep._planned", killed)
    with pytest.raises(Killed):
        swept(account)
    monkeypatch.undo()
    assert AgentSession.objects.filter(uuid=new.id).exists()
    Account.objects.update(lease_until=None)
    account = swept(account)
    assert recall(account.pk).new_at == NewAt.FRONT and sim.calls("GET", "/browsers") == 0
    assert account.sessions_upstream == len(sim.world.order)


def broken(*_: object) -> None:
    raise RuntimeError("on purpose")


def test_a_first_page_that_cannot_be_stored_is_said_as_well(sim, monkeypatch):
    """The list's length is known by then, and not one page of it."""
    account = swept(imported(sim))
    monkeypatch.setattr("sessions_app.polling.cycle.take_pages", broken)
    after = swept(account)
    assert after.error_kind == "internal" and after.lease_until is None
    assert after.sessions_upstream == account.sessions_upstream


def test_a_sweep_that_was_cut_off_has_said_what_it_read(sim, monkeypatch):
    """The next one begins with what is oldest, not with page 2 once more."""
    account = swept(imported(sim))
    before = ages.known(account.pk, [UUID(one.id) for one in sim.world.live_sessions()])
    monkeypatch.setattr("sessions_app.polling.sweep._planned", broken)
    assert swept(account).error_kind == "internal"
    first = {UUID(one.id) for one in sim.world.newest(0, 100) if one.live}
    after = ages.known(account.pk, before)
    assert first and all((after[uuid] > before[uuid]) == (uuid in first) for uuid in before)
