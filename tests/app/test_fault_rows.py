"""Rows of docs/faults.md that no other test proves."""

import pytest
from django.contrib.auth.models import User

from sessions_app.models import Account, AgentSession, Snapshot
from sessions_app.polling.intake import take_pages
from sessions_app.upstream.pages import session_page
from tests.support.answers import at
from tests.support.factories import make_account, make_session
from tests.support.foreign import KEY, ForeignServer, running_foreign_server
from tests.support.replies import page, raw_session
from tests.support.sweeping import swept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def foreign():
    with running_foreign_server() as server:
        for number in range(450):
            server.add(f"session {number}", status="stopped")
        yield server


def read_to_the_end(foreign: ForeignServer) -> Account:
    account = Account.objects.create(slug="f", name="F", base_url=foreign.base_url, api_key=KEY)
    for _ in range(10):
        account = swept(account)
        if account.reconciled_at:
            return account
    raise AssertionError("the reading does not end")


def test_the_same_id_twice_on_a_page_is_one_session():
    account = make_account()
    twice = page(raw_session(stepCount=3), raw_session(stepCount=4))
    take_pages(
        account, [session_page(twice, at(0), 1), session_page(page(raw_session(stepCount=4)), at(1), 2)]
    )
    assert AgentSession.objects.get().step_count == 4 and Snapshot.objects.count() == 1


def test_a_total_that_is_too_low_hides_nothing(foreign):
    foreign.claimed_total = 350
    read_to_the_end(foreign)
    assert AgentSession.objects.count() == 450


def test_a_total_that_is_too_high_ends_with_the_list(foreign):
    foreign.claimed_total = 10**9
    account = read_to_the_end(foreign)
    assert AgentSession.objects.count() == 450 and account.reconcile_page == 1
    assert len(foreign.requests) < 60


def test_a_server_that_gives_one_page_for_all_is_left(foreign):
    foreign.claimed_total, foreign.one_page_for_all = 10**6, True
    read_to_the_end(foreign)
    assert AgentSession.objects.count() == 100 and len(foreign.requests) < 60


def test_the_limit_and_how_many_run_are_both_shown(client):
    """The vendor is known to say "0 active" while its limit says full: we show our count and its limit."""
    account = make_account(concurrent_browsers=3)
    make_session(account=account)
    client.force_login(User.objects.create_superuser("ada", password="x"))
    html = client.get(f"/settings/accounts/{account.slug}/").content.decode()
    assert "at most 3" in html and "rateLimit" in html
    assert 'data-status="running"' in client.get("/").content.decode()


def test_pages_that_could_not_be_read_are_named_in_the_settings(client):
    account = make_account(reconcile_missed=[5, 17], reconciled_at=at(0))
    client.force_login(User.objects.create_superuser("ada", password="x"))
    html = client.get(f"/settings/accounts/{account.slug}/").content.decode()
    assert "2 pages could not be read (page 5, 17) and are tried again" in html
