"""The queue: worst first, each with its reason in words, since when, what to do, and the stop right there."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from sessions_app.queries import floor, rows
from tests.support.factories import make_account, make_session, make_sessions

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _nothing_kept():
    rows.forget()


@pytest.fixture
def sam(client) -> User:
    """Support, at 3 am."""
    user = User.objects.create_user("sam")
    user.groups.add(Group.objects.get(name="support"))
    client.force_login(user)
    return user


def queue(client, query: str = "") -> str:
    response = client.get(f"/attention/{query}")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> list[str]:
    return re.findall(r'data-session-id="([0-9a-f-]+)"', html)


def reason(code: str, **numbers) -> dict:
    return {"code": code, "since": (timezone.now() - timedelta(minutes=7)).isoformat(), **numbers}


def test_worst_first_and_only_what_lives_and_needs_it(client, sam):
    idle = make_session(status="idle", attention=[reason("idle_paid")], attention_rank=10)
    burning = make_session(attention=[reason("burning", times=5)], attention_rank=60)
    make_session()
    make_session(status="stopped", attention_rank=60)
    assert shown(queue(client)) == [str(burning.uuid), str(idle.uuid)]


def test_each_says_why_since_when_how_dear_and_what_to_do(client, sam):
    make_session(
        attention=[reason("burning", times=5, of="model"), reason("repeating", steps=20)],
        attention_rank=60, burn_microusd_per_min=820_000,
    )  # fmt: skip
    html = queue(client)
    for words in (
        "High spend", "Spends more than 5× as fast as others of its model.", "stop the task if it gets nowhere",
        "Looping", "Took the same step 20 times or more in a row.", "$0.82/min",
    ):  # fmt: skip
        assert words in html
    assert len(re.findall(r"for <time datetime=\"[^\"]+\" data-elapsed>", html)) == 2
    assert 'data-stop="task"' in html


def test_queries_do_not_grow_with_the_queue(client, sam, django_assert_num_queries):
    make_sessions(40, attention=[reason("stalled")], attention_rank=30)
    queue(client)
    with django_assert_num_queries(7):
        queue(client)


def test_a_long_queue_has_pages(client, sam):
    make_sessions(floor.PAGE + 2, attention=[reason("stalled")], attention_rank=30)
    assert len(shown(queue(client))) == floor.PAGE
    second = queue(client, "?page=2")
    assert len(shown(second)) == 2
    assert f'data-elsewhere="{floor.PAGE}"' in second


def test_all_is_well_says_when_that_was_read(client, sam):
    account = make_account()
    make_session(account=account)
    html = queue(client)
    assert 'data-empty="calm"' in html
    assert "1 live session, read" in " ".join(html.split())


@pytest.mark.parametrize(
    ("account", "why"),
    [
        ({"failing_since": timezone.now()}, "unknown"),
        ({"last_read_at": None}, "never"),
        ({"last_read_at": None, "failing_since": timezone.now()}, "never"),
    ],
)
def test_nobody_says_that_all_is_well_without_having_read(client, sam, account, why):
    make_account(**account)
    html = queue(client)
    assert f'data-empty="{why}"' in html
    assert "All is well" not in html


def test_the_navigation_counts_them(client, sam):
    make_session(attention_rank=30)
    assert re.search(r'data-count="attention">1</span>', queue(client))


def test_what_nobody_acknowledged_has_no_heading_to_be_named_by(client, sam):
    html = queue(client)
    assert 'id="quiet"' in html and "quiet-title" not in html
