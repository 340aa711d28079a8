"""From the sender's POST to our list of who is read next, over real HTTP at both ends."""

import time
from collections.abc import Callable, Iterator
from uuid import UUID

import httpx
import pytest

from sessions_app.live import wake
from sessions_app.models import Account, AgentSession
from sessions_app.polling import watched
from sessions_app.simulator.testing import RunningSimulator, running_simulator
from tests.support.sweeping import account_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SECRET = "whsec_between_the_two"


@pytest.fixture
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


@pytest.fixture
def account(sim, live_server) -> Account:
    """Its webhooks come to this test's server."""
    sim.webhooks.url, sim.webhooks.secret = f"{live_server.url}/webhooks/browser-use/sim/", SECRET
    return account_of(sim, webhook_secret=SECRET)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def test_a_session_nobody_knows_yet_is_woken_by_its_first_status(sim, account):
    session = sim.running_session()
    eventually(lambda: len(sim.webhooks.sent) > 0)
    assert {one["answer"] for one in sim.webhooks.sent} == {200}
    assert [(one.account_pk, one.uuid) for one in wake.waiting()] == [(account.pk, UUID(session.id))]


def test_a_sender_with_another_secret_is_told_why(sim, account):
    sim.webhooks.secret = "another secret"
    sim.running_session()
    eventually(lambda: len(sim.webhooks.sent) > 0)
    assert {one["answer"] for one in sim.webhooks.sent} == {401}
    assert wake.waiting() == []
    account.refresh_from_db()
    assert "signature does not match" in account.webhook_refusal


def test_the_vendors_test_arrives(sim, account):
    assert sim.webhooks.post("test", {}) == 200
    account.refresh_from_db()
    assert account.webhook_kind == "test"


def test_a_large_body_is_refused_over_http_too(sim, account):
    assert sim.webhooks.post("test", {"x": "x" * (300 * 1024)}) == 413


def test_what_is_read_then_is_what_the_vendor_answers(sim, account):
    """The webhook said running; by the time of the reading the session is idle, and that is what counts."""
    session = sim.running_session()
    eventually(lambda: len(sim.webhooks.sent) > 0)
    sim.webhooks.url = ""
    body = {"strategy": "task"}
    httpx.post(f"{sim.base_url}/sessions/{session.id}/stop", json=body, headers=sim.headers)
    sim.advance(5)
    watched.read_due()
    assert AgentSession.objects.get().status == session.status == "idle"
    assert wake.waiting() == []
