"""What the palette finds, for whom, and what it costs."""

import re

import pytest
from django.contrib.auth.models import Group, User

from sessions_app.models import SavedView
from tests.support.factories import make_account, make_session, make_sessions

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def olga(client) -> User:
    user = User.objects.create_user("olga")
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return user


def found(client, text: str = "") -> list[str]:
    """Addresses of what is found, in order."""
    response = client.get("/palette/", {"q": text})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return re.findall(r'data-href="([^"]+)"', response.content.decode())


def test_nobody_finds_anything_unknown(client):
    assert client.get("/palette/", {"q": "x"})["Location"].startswith("/accounts/login/")


def test_sessions_by_words_and_by_any_part_of_the_id_living_ones_first(client, olga):
    ended = make_session(status="stopped", title="Compare desks")
    alive = make_session(account=ended.account, title="More desks")
    make_session(account=ended.account, title="Other")
    assert found(client, "desks") == [f"/sessions/{alive.uuid}/", f"/sessions/{ended.uuid}/"]
    assert found(client, str(ended.uuid)[9:18]) == [f"/sessions/{ended.uuid}/"]
    assert found(client, "nothing like it") == []


def test_nothing_typed_finds_saved_views_and_no_session(client, olga):
    make_session(title="Desk")
    SavedView.objects.create(owner=olga, name="Dear ones", page="sessions", query="sort=dearest")
    other = User.objects.create_user("otto")
    SavedView.objects.create(owner=other, name="Private", page="sessions", query="sort=dearest")
    assert found(client) == ["/sessions/?sort=dearest"]
    assert found(client, "dear") == ["/sessions/?sort=dearest"]


def test_sessions_of_accounts_put_aside_are_not_found(client, olga):
    make_session(account=make_account(is_active=False), title="Desk")
    assert found(client, "desk") == []


@pytest.mark.parametrize("text", ["\0", "'; --", "%", "*", '"', "a" * 5_000, "⌘"])
def test_odd_texts_break_nothing(client, olga, text):
    make_session(title="Desk")
    assert isinstance(found(client, text), list)


def test_names_of_the_vendor_are_shown_as_text(client, olga):
    make_session(title="<script>alert(1)</script> desk")
    html = client.get("/palette/", {"q": "desk"}).content.decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("sessions", [2, 60])
def test_a_look_costs_the_same_few_queries(client, olga, sessions, django_assert_max_num_queries):
    make_sessions(sessions, title="Desk")
    with django_assert_max_num_queries(
        12
    ):  # PostgreSQL: with what search.indexed_up_to sets around its count
        assert len(found(client, "desk")) == min(sessions, 8)
