"""The history: every filter of the address, the search, and pages that go on from a place."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from sessions_app.queries import history, rows
from tests.support.factories import make_account, make_session, make_sessions

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _nothing_kept():
    rows.forget()


def sign_in(client, name: str, role: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


@pytest.fixture
def lea(client) -> User:
    """A team lead."""
    return sign_in(client, "lea", "lead")


def page(client, query: str = "") -> str:
    response = client.get(f"/sessions/{query}")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> list[str]:
    return re.findall(r'data-session-id="([0-9a-f-]+)"', html)


def ids(*sessions) -> list[str]:
    return [str(session.uuid) for session in sessions]


def next_of(html: str) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', html)
    return found and found.group(1).replace("&amp;", "&")


def all_pages(client, query: str = "") -> list[str]:
    found, address = [], query
    while address is not None:
        html = page(client, address)
        found += shown(html)
        address = next_of(html)
    return found


def test_live_and_ended_ones_newest_first(client, lea):
    now = timezone.now()
    old = make_session(status="stopped", created_at=now - timedelta(days=3))
    new = make_session(created_at=now - timedelta(minutes=3))
    assert shown(page(client)) == ids(new, old)


def test_filters_of_the_address(client, lea):
    day = datetime(2026, 11, 10, 12, tzinfo=UTC)
    account = make_account()
    live = make_session(account=account, created_at=day, attention_rank=30, total_cost_microusd=100)
    good = make_session(
        account=account, status="stopped", created_at=day - timedelta(days=1), is_task_successful=True,
        model="bu-mini", total_cost_microusd=2_500_000,
    )  # fmt: skip
    bad = make_session(
        account=make_account(slug="other"), status="error", created_at=day - timedelta(days=2),
        is_task_successful=False, total_cost_microusd=None, profile_id=uuid4(),
    )  # fmt: skip
    odd = make_session(account=account, status="hibernating", created_at=day - timedelta(days=3))
    for query, expected in {
        "?status=live": [live, odd],
        "?status=ended": [good, bad],
        "?status=error": [bad],
        "?status=other": [odd],
        "?outcome=succeeded": [good],
        "?outcome=failed": [bad],
        "?outcome=unknown": [live, odd],
        "?model=bu-mini": [good],
        "?account=other": [bad],
        f"?profile={bad.profile_id}": [bad],
        "?attention=1": [live],
        "?least=2.5": [good],
        "?least=$2.50": [good],
        "?since=2026-11-09": [live, good],
        "?until=2026-11-09": [good, bad, odd],
        "?since=2026-11-08&until=2026-11-09": [good, bad],
        "?status=x&outcome=x&least=x&since=2026-13-45&until=x&after=x&profile=x": [live, good, bad, odd],
        "?since=0001-01-01&until=9999-12-31": [live, good, bad, odd],
        "?model=%00": [live, good, bad, odd],
    }.items():
        assert shown(page(client, query)) == ids(*expected), query


def test_what_was_deleted_upstream_has_ended(client, lea):
    now = timezone.now()
    runs = make_session(status="running", created_at=now)
    gone = make_session(status="running", created_at=now - timedelta(hours=1), is_live=False, gone_at=now)
    for status, expected in {"running": [runs], "live": [runs], "ended": [gone], "": [runs, gone]}.items():
        assert shown(page(client, f"?status={status}")) == ids(*expected), status


def test_days_are_the_readers(client, lea):
    """03:00 UTC on the tenth is still the ninth in New York (the cookie is set by static/js/zone.js)."""
    session = make_session(created_at=datetime(2026, 11, 10, 3, tzinfo=UTC))
    assert shown(page(client, "?until=2026-11-09")) == []
    client.cookies["tz"] = "America%2FNew_York"
    assert shown(page(client, "?since=2026-11-09&until=2026-11-09")) == ids(session)
    client.cookies["tz"] = "nowhere"
    assert shown(page(client, "?since=2026-11-10&until=2026-11-10")) == ids(session)


def test_search_over_title_step_and_id(client, lea):
    make_session(title="Compare desks", last_step="Opened a page")
    found = make_session(
        title="Collect <invoices>",
        last_step="Signed in to the portal",
        uuid="deadbeef-0000-4000-8000-0123456789ab",
    )
    for text in (
        "invoices",
        "portal collect",
        "%3Cinvoices%3E",
        "BEEF-0000",
        "0123456789ab",
        str(found.uuid),
    ):
        assert shown(page(client, f"?q={text}")) == ids(found), text
    html = page(client, "?q=unfindable")
    assert shown(html) == []
    assert 'data-empty="match"' in html


@pytest.mark.parametrize("query", ["", "?sort=dearest"])
def test_pages_go_on_from_a_place_without_gap_or_repetition(client, lea, query):
    # Equal moments and equal costs: the place must be exact all the same.
    now = timezone.now()
    made = [
        make_session(
            status="stopped",
            created_at=now - timedelta(hours=number // 40),
            total_cost_microusd=1_000 * (number // 40),
        )
        for number in range(history.PAGE * 2 + 7)
    ]
    found = all_pages(client, query)
    assert len(found) == len(made)
    assert set(found) == set(ids(*made))


def test_rows_that_come_meanwhile_shift_no_page(client, lea):
    made = make_sessions(history.PAGE + 3, status="stopped")
    first = page(client)
    make_session(title="Came meanwhile", created_at=timezone.now() + timedelta(minutes=1))
    rest = shown(page(client, next_of(first)))
    assert len(rest) == 3
    assert set(shown(first)) | set(rest) == set(ids(*made))


def test_the_dearest_first_and_the_unknown_left_out(client, lea):
    cheap, dear = make_session(total_cost_microusd=-5), make_session(total_cost_microusd=9_000_000)
    make_session(total_cost_microusd=None)
    html = page(client, "?sort=dearest")
    assert shown(html) == ids(dear, cheap)
    assert "whose cost nobody knows are left out" in html


def test_who_sees_no_costs_can_neither_sort_nor_filter_by_them(client):
    sign_in(client, "vera", "viewer")
    now = timezone.now()
    cheap = make_session(total_cost_microusd=1, created_at=now)
    dear = make_session(total_cost_microusd=10**9, created_at=now - timedelta(hours=1))
    for query in ("?sort=dearest", "?least=5"):
        html = page(client, query)
        assert shown(html) == ids(cheap, dear)
        assert "$" not in html
        assert 'name="least"' not in html


def test_a_large_history_is_counted_up_to_a_limit(client, lea, monkeypatch):
    monkeypatch.setattr(history, "COUNTED_UP_TO", 5)
    make_sessions(7, status="stopped")
    assert "more than 5" in " ".join(page(client).split())


def test_common_words_are_counted_up_to_a_limit_and_read_page_by_page(client, lea, monkeypatch):
    monkeypatch.setattr(history, "COUNTED_UP_TO", 5)
    made = make_sessions(history.PAGE + 3, status="stopped", title="Common kiwi")
    first = page(client, "?q=kiwi")
    assert "more than 5" in " ".join(first.split())
    rest = shown(page(client, next_of(first)))
    assert len(rest) == 3
    assert set(shown(first)) | set(rest) == set(ids(*made))


def test_the_same_few_queries_however_long(client, lea, django_assert_num_queries):
    make_sessions(3)
    page(client)
    with django_assert_num_queries(11):  # all stand on the page: nobody need count them
        page(client)
    make_sessions(history.PAGE, status="stopped")
    page(client)
    with django_assert_num_queries(12):
        page(client)


def test_nothing_yet(client, lea):
    assert 'data-empty="none"' in page(client)


def test_filters_survive_the_next_page(client, lea):
    make_sessions(history.PAGE + 1, status="error")
    assert next_of(page(client, "?status=error")).startswith("?status=error&after=")
