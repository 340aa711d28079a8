"""Reading every page of a large account: complete, resumable, honest about what it could not get."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from sessions_app.live.connection import client as redis_client
from sessions_app.models import Account, AgentSession
from sessions_app.polling import reconcile
from tests.support.foreign import KEY, ForeignServer, running_foreign_server, uuid_of
from tests.support.sweeping import backdate, swept

pytestmark = pytest.mark.django_db(transaction=True)
SESSIONS = 800  # eight full pages: nothing but an empty ninth says that the list has ended


@pytest.fixture
def foreign():
    with running_foreign_server() as server:
        for number in range(SESSIONS):
            status = "running" if number % 100 == 7 else "stopped"
            server.add(f"session {number}", status=status, totalCostUsd="0.01")
        yield server


@pytest.fixture
def account(foreign: ForeignServer) -> Account:
    return Account.objects.create(slug="f", name="Foreign", base_url=foreign.base_url, api_key=KEY)


def read_whole(account: Account) -> Account:
    for _ in range(30):
        account = swept(account)
        if account.reconciled_at and account.reconcile_page == 1:
            return account
    raise AssertionError("the reading does not end")


def again(account: Account) -> Account:
    """Another reading of all pages, now."""
    Account.objects.update(next_reconcile_at=None, reconciled_at=None, reconcile_missed=[])
    return read_whole(account)


def test_a_page_that_fails_is_named_and_tried_again(foreign, account):
    foreign.failing_pages = {5}
    account = read_whole(account)
    assert account.reconcile_missed == [5] and AgentSession.objects.count() == SESSIONS - 100
    assert account.next_reconcile_at < timezone.now() + timedelta(minutes=2)
    Account.objects.update(next_reconcile_at=None)
    assert swept(account).reconcile_missed == [5], "it fails still"
    foreign.failing_pages = set()
    asked = len(foreign.requests)
    Account.objects.update(next_reconcile_at=None)
    account = swept(account)
    assert account.reconcile_missed == [] and AgentSession.objects.count() == SESSIONS
    assert account.next_reconcile_at > timezone.now() + timedelta(minutes=1)
    assert len(foreign.requests) - asked < 20, "that page, not all of them"


def test_an_upstream_that_falls_ill_in_the_middle_halts_the_reading(foreign, account, monkeypatch):
    foreign.failing_pages = set(range(5, 9))
    account = swept(account)
    assert account.reconcile_page == 9 and account.reconcile_missed == [5, 6, 7, 8]
    assert account.reconciled_at is None
    foreign.failing_pages = set()
    account = read_whole(account)
    Account.objects.update(next_reconcile_at=None)
    assert swept(account).reconcile_missed == [] and AgentSession.objects.count() == SESSIONS


def test_a_server_that_refuses_pages_behind_the_end(foreign, account):
    foreign.refuses_behind_the_end = True
    account = read_whole(account)
    assert account.reconcile_missed == [] and AgentSession.objects.count() == SESSIONS


def test_an_import_that_was_interrupted_goes_on_where_it_was(foreign, account, monkeypatch):
    """A worker is killed in the middle of a piece: what it had read stays, and only that piece is read again."""
    monkeypatch.setattr(reconcile, "PIECE_S", 0.0001)
    account = swept(account)
    assert (
        account.reconcile_page == 5 and account.reconcile_started_at and account.sessions_upstream == SESSIONS
    )
    began = account.reconcile_started_at
    with monkeypatch.context() as patch:
        patch.setattr(reconcile.places, "keep", lambda *_: 1 / 0)
        swept(account)
    account.refresh_from_db()
    assert account.reconcile_page == 5 and account.reconcile_started_at == began
    cache.clear()  # and the broker went with it
    account = read_whole(account)
    assert account.reconciled_at == began and AgentSession.objects.count() == SESSIONS


def test_what_ended_and_was_deleted_then_is_found_out_and_comes_back(foreign, account):
    account = read_whole(account)
    [deleted, *_] = [u for u, one in foreign.sessions.items() if one["status"] == "stopped"]
    record = foreign.sessions.pop(deleted)
    account = again(account)
    assert AgentSession.objects.filter(missing_since__isnull=False).count() == 0, "absence proves nothing"
    account = swept(account)
    assert AgentSession.objects.get(uuid=deleted).missing_since, "a 404 says more"
    swept(account)
    assert AgentSession.objects.get(uuid=deleted).gone_at is None, (
        "but only a second one a minute later proves it"
    )
    backdate(missing_since=61, observed_at=120)
    key = f"suspects:{account.pk}"
    cache.set(key, dict.fromkeys(cache.get(key), 1.0))
    account = swept(account)
    assert AgentSession.objects.get(uuid=deleted).gone_at
    assert AgentSession.objects.filter(gone_at__isnull=False).count() == 1
    cache.set(key, dict.fromkeys(cache.get(key), 1.0))
    asked = len([path for _, path in foreign.requests if path.endswith(deleted)])
    swept(account)
    assert len([path for _, path in foreign.requests if path.endswith(deleted)]) == asked == 2
    foreign.sessions[deleted] = record
    again(account)
    assert AgentSession.objects.get(uuid=deleted).gone_at is None


def test_a_session_that_the_reading_missed_is_cleared_by_one_question(foreign, account):
    """Pages shifted under the reader: it was on none of them, and is there all the same."""
    account = read_whole(account)
    [hidden, *_] = [u for u, one in foreign.sessions.items() if one["status"] == "stopped"]
    record = foreign.sessions.pop(hidden)
    account = again(account)
    foreign.sessions[hidden] = record
    account = swept(account)
    assert [path for _, path in foreign.requests if path.endswith(hidden)]
    assert AgentSession.objects.filter(missing_since__isnull=False).count() == 0
    key = f"suspects:{account.pk}"
    cache.set(key, dict.fromkeys(cache.get(key), 1.0))
    swept(account)
    assert not cache.get(key)


def hungry(account: Account) -> None:
    """As if nobody had been read of late."""
    redis_client().delete(f"ages:read:{account.pk}")
    long_ago = timezone.now() - timedelta(seconds=30)
    Account.objects.update(last_read_at=long_ago, resting_read_at=long_ago)


def test_a_planned_page_that_always_fails_condemns_nobody(foreign, account):
    account = read_whole(account)
    foreign.failing_pages = {5}
    upon_it = uuid_of("session 407")
    foreign.change(str(upon_it), stepCount=77)
    hungry(account)
    account = swept(account)
    assert not account.error_kind and account.failing_since is None
    assert account.reconcile_missed == [5], "the settings page names it"
    assert AgentSession.objects.get(uuid=upon_it).step_count == 77, "read singly"
    assert account.last_read_at > timezone.now() - timedelta(seconds=20)
    assert account.next_reconcile_at < timezone.now() + timedelta(minutes=2)
    hungry(account)
    asked = len(foreign.pages)
    swept(account)
    assert 5 not in foreign.pages[asked:], "it is tried again each minute, not by each sweep"
    foreign.failing_pages = set()
    Account.objects.update(next_reconcile_at=None)
    assert swept(account).reconcile_missed == []


def test_an_upstream_that_gives_page_1_alone_is_ill(foreign, account):
    account = read_whole(account)
    foreign.failing_pages = set(range(2, 20))
    foreign.failing_sessions = True
    hungry(account)
    assert swept(account).error_kind == "server_fault"
