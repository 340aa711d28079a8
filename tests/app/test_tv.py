"""The wall screen: who is first, how much is shown, and what never stands on a screen that a whole room reads."""

import re

import pytest
from django.contrib.auth.models import Group, User

from sessions_app.live import tickets
from sessions_app.queries import floor, rows
from sessions_app.views.tv import MOST_PAGES
from tests.support.factories import make_account, make_session, make_sessions

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _nothing_kept():
    rows.forget()


@pytest.fixture
def olga(client) -> User:
    """An operator, who may do everything with sessions."""
    user = User.objects.create_user("olga")
    user.groups.add(Group.objects.get(name="operator"))
    client.force_login(user)
    return user


def screen(client, query: str = "") -> str:
    response = client.get(f"/?view=tv{query}")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> list[str]:
    return re.findall(r'data-session-id="([0-9a-f-]+)"', html)


def test_it_offers_no_act_and_holds_no_credential(client, olga):
    session = make_session(title="Desk")
    html = screen(client)
    assert shown(html) == [str(session.uuid)]
    for word in (
        "<iframe",
        "<form",
        "csrf",
        "data-stop=",
        "live.browser-use.com",
        "/accounts/logout",
        "api_key",
    ):
        assert word not in html, word


def test_what_needs_attention_comes_first(client, olga):
    account = make_account()
    calm = make_session(account=account)
    bad = make_session(account=account, attention_rank=30)
    worst = make_session(account=account, attention_rank=90)
    assert shown(screen(client)) == [str(one.uuid) for one in (worst, bad, calm)]


def test_pages_go_round_and_end_where_nobody_would_wait_for_them(client, olga):
    make_sessions(floor.SCREEN * MOST_PAGES + 1)
    first = screen(client)
    assert len(shown(first)) == floor.SCREEN
    assert f"Page 1 of {MOST_PAGES}" in first
    assert f"the first {floor.SCREEN * MOST_PAGES} of {floor.SCREEN * MOST_PAGES + 1}" in first
    last = screen(client, "&page=999")
    assert f"Page {MOST_PAGES} of {MOST_PAGES}" in last
    assert 'data-next="?view=tv&amp;page=1"' in last
    assert not set(shown(first)) & set(shown(last))


def test_one_page_turns_to_itself(client, olga):
    make_session()
    html = screen(client)
    assert 'data-next="?view=tv&amp;page=1"' in html
    assert "data-turn=" not in html


def test_filters_hold_from_page_to_page(client, olga):
    make_sessions(floor.SCREEN + 1, status="idle")
    assert 'data-next="?view=tv&amp;status=idle&amp;page=2"' in screen(client, "&status=idle")


def test_the_view_that_a_person_has_chosen_is_left_alone(client, olga):
    make_session()
    client.get("/?view=wall")
    assert "view" not in client.get("/?view=tv").cookies
    assert 'data-view="wall"' in client.get("/").content.decode()


def test_its_ticket_names_its_tiles(client, olga):
    session = make_session()
    ticket = tickets.read(re.search(r'data-stream-ticket="([^"]+)"', screen(client)).group(1))
    assert (ticket.session_ids, ticket.page) == ((session.pk,), "live")


def test_a_viewer_sees_no_costs_there_either(client):
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    make_session()
    assert "$" not in screen(client)


def test_nothing_live_is_said_in_words(client, olga):
    make_account()
    assert "data-empty=" in screen(client)


@pytest.mark.parametrize("sessions", [2, 40])
def test_a_screen_costs_the_same_few_queries(client, olga, sessions, django_assert_max_num_queries):
    make_sessions(sessions)
    with django_assert_max_num_queries(10):
        screen(client)
