"""The live floor: what it shows, in which order, what one may ask it for, and what it says when it is empty."""

import gzip
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.utils import timezone

from dashboard.compression import TextCompression
from sessions_app.live import tickets
from sessions_app.models import UpstreamName
from sessions_app.queries import floor, rows
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
def olga(client) -> User:
    """An operator."""
    return sign_in(client, "olga", "operator")


@pytest.fixture
def vera(client) -> User:
    """A viewer."""
    return sign_in(client, "vera", "viewer")


def page(client, query: str = "") -> str:
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> list[str]:
    return re.findall(r'data-session-id="([0-9a-f-]+)"', html)


def ids(*sessions) -> list[str]:
    return [str(session.uuid) for session in sessions]


# ---- who, and how dear -----------------------------------------------------------------------------


def test_nobody_looks_in_unknown(client):
    assert client.get("/")["Location"].startswith("/accounts/login/")


def test_what_lives_is_shown_and_what_ended_is_not(client, olga):
    live = make_session()
    make_session(status="stopped")
    assert shown(page(client)) == ids(live)


def test_sessions_of_an_account_that_was_put_aside_are_not_shown(client, olga):
    make_session(account=make_account(is_active=False))
    assert shown(page(client)) == []


@pytest.mark.parametrize("sessions", [3, 60])
def test_a_page_costs_the_same_few_queries_however_long(client, olga, sessions, django_assert_num_queries):
    make_sessions(sessions, profile_id=uuid4())
    with django_assert_num_queries(10):
        page(client)
    with django_assert_num_queries(9):
        page(client)


def test_a_viewer_sees_neither_costs_nor_stops_nor_live_urls(client, vera):
    make_session()
    html = page(client)
    assert "$" not in html
    assert "data-stop=" not in html
    assert "live.browser-use.com" not in html
    assert "sort=cost" not in html
    assert 'value="burn"' not in html


def test_the_ticket_names_the_rows_of_this_page(client, olga):
    session = make_session()
    ticket = tickets.read(re.search(r'data-stream-ticket="([^"]+)"', page(client)).group(1))
    assert (ticket.user_id, ticket.session_ids, ticket.page) == (olga.pk, (session.pk,), "live")


# ---- filters and orders ----------------------------------------------------------------------------


def test_filters_of_the_address(client, olga):
    other = make_account(name="Other", slug="other")
    profile = uuid4()
    plain = make_session(account=make_account(), model="bu-mini")
    idle = make_session(account=plain.account, status="idle", model="bu-max")
    odd = make_session(account=plain.account, status="hibernating", model="bu-max")
    bad = make_session(account=other, attention_rank=30, profile_id=profile, model="bu-max")
    for query, expected in {
        "?status=idle": {idle},
        "?status=other": {odd},
        "?attention=1": {bad},
        "?model=bu-mini": {plain},
        "?account=other": {bad},
        f"?profile={profile}": {bad},
        "?status=running&model=bu-max": {bad},
        "?status=nonsense&profile=nonsense&page=-1&sort=DROP": {plain, idle, odd, bad},
        f"?workspace={uuid4()}": set(),
    }.items():
        assert set(shown(page(client, query))) == set(ids(*expected)), query


def test_search_by_title_step_and_any_part_of_the_id(client, olga):
    desk = make_session(title="Compare 100% desks", last_step="Opened a_page")
    other = make_session(title="Other", last_step="Nothing", uuid="deadbeef-0000-4000-8000-0123456789ab")
    for text, expected in {
        "desk": [desk],
        "DESKS compare": [desk],
        "a_page": [desk],
        "100%25": [desk],
        "deadbeef-0000": [other],
        "beef000040": [other],
        "DEADBEEF-0000-4000-8000-0123456789AB": [other],
        "0123456789ab": [other],
        "%25": [desk],
        "_": [desk],
        "%00": [desk, other],
        "'; --": [],
    }.items():
        assert set(shown(page(client, f"?q={text}"))) == set(ids(*expected)), text


@pytest.mark.parametrize(
    ("sort", "column", "values"),
    [
        ("", "attention_rank", [50, 10, 0]),
        ("cost", "total_cost_microusd", [500, 0, None]),
        ("burn", "burn_microusd_per_min", [9, 5, 0]),
        ("steps", "step_count", [30, 20, 1]),
    ],
)
def test_orders(client, olga, sort, column, values):
    expected = [make_session(**{column: value}) for value in values]
    assert shown(page(client, f"?sort={sort}")) == ids(*expected)


def test_orders_by_age(client, olga):
    now = timezone.now()
    old, new = (make_session(created_at=now - timedelta(minutes=minutes)) for minutes in (90, 2))
    assert shown(page(client, "?sort=newest")) == ids(new, old)
    assert shown(page(client, "?sort=longest")) == ids(old, new)


def test_who_sees_no_costs_cannot_sort_them_out(client, vera):
    now = timezone.now()
    cheap = make_session(total_cost_microusd=1, created_at=now)
    dear = make_session(total_cost_microusd=10**9, created_at=now - timedelta(hours=1))
    assert shown(page(client, "?sort=cost")) == ids(cheap, dear)


def test_many_come_page_by_page_and_keep_the_filter(client, olga):
    make_sessions(floor.PAGE + 5, model="bu-mini")
    first = page(client, "?model=bu-mini")
    assert len(shown(first)) == floor.PAGE
    assert 'href="?model=bu-mini&amp;page=2"' in first
    second = page(client, "?model=bu-mini&page=2")
    assert len(shown(second)) == 5
    assert not set(shown(first)) & set(shown(second))
    assert shown(page(client, "?page=99")) == shown(page(client, "?page=2"))


def test_choices_are_what_the_floor_has_and_bear_names(client, olga):
    named = make_session(model="bu-mini", profile_id=uuid4())
    UpstreamName.objects.create(
        account=named.account, kind="profile", uuid=named.profile_id, name="<Procurement>"
    )
    make_session(status="stopped", model="not-live-any-more")
    html = page(client)
    assert '<option value="bu-mini">' in html
    assert "&lt;Procurement&gt;</option>" in html
    assert "not-live-any-more" not in html


# ---- list and wall ---------------------------------------------------------------------------------


def test_the_view_is_remembered(client, olga):
    make_session()
    assert 'data-view="list"' in page(client)
    assert 'data-view="wall"' in page(client, "?view=wall")
    assert 'data-view="wall"' in page(client)
    assert 'data-view="list"' in page(client, "?view=list")
    client.cookies["view"] = "<script>"
    assert 'data-view="list"' in page(client)


# ---- empty, and why --------------------------------------------------------------------------------


def why_empty(html: str) -> str | None:
    found = re.search(r'data-empty="(\w+)"', html)
    return found and found.group(1)


def test_no_account_yet(client, olga):
    html = page(client)
    assert why_empty(html) == "account"
    assert "BROWSER_USE_API_KEY=" in html


def test_the_first_read_is_under_way(client, olga):
    make_account(last_read_at=None)
    assert why_empty(page(client)) == "never"


def test_cannot_read(client, olga):
    make_account(failing_since=timezone.now(), error="The key <b>was refused</b>: set another one.")
    html = page(client)
    assert why_empty(html) == "failing"
    assert "The key &lt;b&gt;was refused&lt;/b&gt;: set another one." in html


def test_nothing_is_running(client, olga):
    make_account()
    html = page(client)
    assert why_empty(html) == "none"
    assert "curl -X POST" in html


def test_nothing_matches(client, olga):
    make_session()
    html = page(client, "?q=unfindable")
    assert why_empty(html) == "match"
    assert 'href="/sessions/?q=unfindable"' in html


def test_rows_stay_when_reading_fails_and_the_page_says_so(client, olga):
    session = make_session(account=make_account(failing_since=timezone.now(), error="No answer."))
    html = page(client)
    assert shown(html) == ids(session)
    assert why_empty(html) is None
    assert 'data-state="failing"' in html
    assert "No answer." in html


# ---- weight ----------------------------------------------------------------------------------------


def test_whoever_takes_gzip_gets_a_tenth(client, olga):
    make_sessions(50, account=make_account())
    packed = client.get("/", headers={"accept-encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(shown(gzip.decompress(packed.content).decode())) == 50
    assert len(packed.content) * 8 < len(page(client).encode())


def test_pictures_are_not_compressed_twice(rf):
    picture = HttpResponse(b"0" * 10_000, content_type="image/webp")
    request = rf.get("/", headers={"accept-encoding": "gzip"})
    assert "Content-Encoding" not in TextCompression(lambda _request: picture)(request).headers


# ---- watching from the wall ------------------------------------------------------------------------


def test_only_who_may_watch_live_is_offered_pins(client, olga):
    make_session()
    assert 'id="pin-template"' in page(client, "?view=wall")
    sign_in(client, "vera", "viewer")
    html = page(client, "?view=wall")
    assert 'id="pin-template"' not in html
    assert "<iframe" not in html


def test_the_size_of_tiles_is_kept(client, olga):
    make_session()
    client.cookies["tile"] = "l"
    assert 'data-size="l"' in page(client, "?view=wall")
    client.cookies["tile"] = "huge"
    assert 'data-size="m"' in page(client, "?view=wall")
