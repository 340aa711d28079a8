"""A row is rendered once per version and kind of viewer, says what is stored, and tells nobody what he may not know."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from sessions_app.models import AgentSession, SessionDetail, UpstreamName
from sessions_app.queries import rows
from sessions_app.types import Sight
from tests.support.factories import make_account, make_session, make_sessions

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

OPERATOR = Sight(see_costs=True, watch_live=True, take_control=True, stop_task=True, end_session=True)
VIEWER = Sight()


@pytest.fixture(autouse=True)
def _nothing_kept():
    rows.forget()


def html_of(session: AgentSession, sight: Sight = OPERATOR) -> str:
    return rows.rendered([session.pk], sight)[session.pk].html.decode()


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)))


# ---- once ------------------------------------------------------------------------------------------


def test_fifty_rows_cost_two_queries_and_warm_ones_one(django_assert_num_queries):
    ids = [session.pk for session in make_sessions(50)]
    with django_assert_num_queries(2):
        cold = rows.rendered(ids, OPERATOR)
    with django_assert_num_queries(1):
        warm = rows.rendered(ids, OPERATOR)
    assert set(cold) == set(ids)
    assert all(warm[pk].html is cold[pk].html for pk in ids)


def test_only_what_changed_is_rendered_again(django_assert_num_queries):
    first, second = make_sessions(2)
    before = rows.rendered([first.pk, second.pk], OPERATOR)
    AgentSession.objects.filter(pk=first.pk).update_shown(timezone.now(), title="Another title")
    with django_assert_num_queries(2):
        after = rows.rendered([first.pk, second.pk], OPERATOR)
    assert b"Another title" in after[first.pk].html
    assert after[first.pk].version == before[first.pk].version + 1
    assert after[second.pk].html is before[second.pk].html


def test_kinds_of_viewers_do_not_share_rows():
    session = make_session()
    assert "$1.23" in html_of(session, OPERATOR)
    assert "$1.23" not in html_of(session, VIEWER)
    assert "$1.23" in html_of(session, OPERATOR)


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(rows, "MAX_KEPT", 5)
    ids = [session.pk for session in make_sessions(8)]
    assert len(rows.rendered(ids, OPERATOR)) == 8
    assert len(rows._kept) == 5


def test_sessions_that_are_no_more_are_left_out():
    session = make_session()
    rows.rendered([session.pk], OPERATOR)
    session.delete()
    assert rows.rendered([session.pk, 12_345_678], OPERATOR) == {}


def test_the_row_knows_what_the_hub_asks_of_it():
    session = make_session(status="idle", attention_rank=10)
    row = rows.rendered([session.pk], OPERATOR)[session.pk]
    assert (row.uuid, row.version, row.is_live, row.status, row.attention_rank) == (
        session.uuid, 1, True, "idle", 10,
    )  # fmt: skip


# ---- what it says ----------------------------------------------------------------------------------


def test_the_root_carries_what_scripts_and_others_go_by():
    session = make_session(status="running", stopping="task")
    root = re.search(r"<li[^>]*>", html_of(session)).group()
    for attribute in (
        f'id="s-{session.uuid}"', f'data-session-id="{session.uuid}"', 'data-status="running"',
        'data-version="1"', 'data-stopping="task"',
    ):  # fmt: skip
        assert attribute in root


def test_cells_are_named_once_and_do_not_nest():
    html = html_of(make_session(attention=[{"code": "stalled", "since": "2026-11-24T10:00:00+00:00"}]))
    names = re.findall(r'data-cell="([^"]+)"', html)
    assert len(names) == len(set(names))
    assert {
        "picture",
        "title",
        "step",
        "status",
        "age",
        "attention",
        "elapsed",
        "steps",
        "cost",
        "stop",
    } <= set(names)
    for name in names:
        opened = html.index(f'data-cell="{name}"')
        tag = re.findall(r"<(\w+)", html[:opened])[-1]
        inside = html[opened : html.index(f"</{tag}>", opened)]
        assert inside.count("data-cell=") == 1


def test_money_steps_and_reasons_are_said():
    session = make_session(
        total_cost_microusd=4_800_000, max_cost_microusd=5_000_000, burn_microusd_per_min=250_000, step_count=1_234,
        attention=[{"code": "near_cap", "since": "2026-11-24T10:00:00+00:00", "level": 95}], attention_rank=70,
    )  # fmt: skip
    text = text_of(html_of(session))
    for words in (
        "$4.80",
        "of $5.00",
        "$0.25/min",
        "1,234 steps",
        "Near its cap",
        "more than 95% of its cap",
    ):
        assert words in text
    assert re.search(r'<meter[^>]*max="5000000"[^>]*high="4750000"[^>]*value="4800000"', html_of(session))


def test_names_of_profile_and_workspace_are_said_and_come_from_the_own_account():
    mine, other = make_account(), make_account()
    session = make_session(account=mine, profile_id="11111111-1111-1111-1111-111111111111")
    for account, name in ((mine, "Procurement"), (other, "Somebody else's")):
        UpstreamName.objects.create(account=account, kind="profile", uuid=session.profile_id, name=name)
    text = text_of(html_of(session))
    assert "Procurement" in text
    assert "Somebody else's" not in text


def test_a_session_without_title_is_named_by_its_id():
    session = make_session(title="", last_step="")
    text = text_of(html_of(session))
    assert f"Untitled {session.uuid.hex[:8]}" in text
    assert "No step yet" in text


def test_an_ended_session_says_how_long_it_took_and_offers_no_stop():
    started = timezone.now() - timedelta(hours=3)
    session = make_session(
        status="stopped", created_at=started, ended_at=started + timedelta(minutes=12, seconds=4),
        is_task_successful=True,
    )  # fmt: skip
    html = html_of(session)
    assert "12 m 04 s" in html
    assert "Succeeded" in html
    assert "data-stop=" not in html


# ---- stops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sight", "offered"),
    [
        ("running", OPERATOR, ["task", "session"]),
        ("created", OPERATOR, ["task", "session"]),
        ("idle", OPERATOR, ["session"]),
        ("hibernating", OPERATOR, ["task", "session"]),
        ("running", Sight(stop_task=True), ["task"]),
        ("running", Sight(end_session=True), ["session"]),
        ("running", VIEWER, []),
        ("stopped", OPERATOR, []),
    ],
)
def test_stops_are_offered_to_those_who_may(status, sight, offered):
    assert re.findall(r'data-stop="(\w+)"', html_of(make_session(status=status), sight)) == offered


def test_a_stop_under_way_is_said_in_place_of_the_status():
    html = html_of(make_session(stopping="task"))
    assert "Stopping task…" in html
    assert "data-stop=" not in html


def test_addresses_are_those_of_the_product():
    session = make_session(picture="ab" * 32)
    html = html_of(session)
    assert f'href="{reverse("session", args=[session.uuid])}"' in html
    assert f'href="{reverse("stop", args=[session.uuid])}?strategy=task"' in html
    assert f'src="{reverse("thumbnail", args=[session.picture])}"' in html


# ---- what it must not say --------------------------------------------------------------------------


@pytest.mark.parametrize("sight", [OPERATOR, VIEWER])
def test_no_live_url_in_a_row(sight):
    session = make_session(has_live_url=True)
    SessionDetail.objects.create(session=session, live_url="https://live.browser-use.com/secret-token")
    assert "live.browser-use" not in html_of(session, sight)
    assert "secret" not in html_of(session, sight)


def test_without_the_right_to_see_costs_there_is_no_cost_at_all():
    html = html_of(make_session(burn_microusd_per_min=990_000), Sight(stop_task=True))
    assert "$" not in html
    assert "meter" not in html
    assert 'data-cell="cost"' not in html


# ---- odd values ------------------------------------------------------------------------------------


def test_markup_is_shown_and_never_run():
    nasty = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
    session = make_session(
        title=nasty, last_step=nasty, model=nasty[:100], status='"><i>odd', stopping="<u>",
        attention=[{"code": "<em>", "since": "<never>"}, "text", None, {}], attention_rank=1,
    )  # fmt: skip
    html = html_of(session)
    assert not re.search(r"<(script|i|u|em)\b", html)
    assert html.count("<b>") == 1  # the amount
    assert "onerror=alert(2)>" not in html
    assert "<script>alert(1)</script>" in unescape(html)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({"total_cost_microusd": 9_223_372_036_854_775_807}, "$9,223,372,036,854.78"),
        ({"total_cost_microusd": -123_000_000}, "−$123.00"),
        ({"total_cost_microusd": None, "max_cost_microusd": None}, "–"),
        ({"step_count": 9_223_372_036_854_775_807}, "9.2e18 steps"),
        ({"status": "hibernating"}, "hibernating"),
        ({"model": "vendor/new-model"}, "vendor/new-model"),
        ({"title": "W" * 500}, "W" * 500),
        ({"attention": "nonsense", "attention_rank": 9}, "Running"),
        ({"attention": [{"code": "brand_new"}], "attention_rank": 9}, "Brand new"),
        ({"max_cost_microusd": 0}, "of $0.00"),
    ],
)
def test_odd_values_are_shown_as_they_are(columns, shown):
    assert shown in text_of(html_of(make_session(**columns)))


@pytest.mark.parametrize("cap", [0, -5, None])
def test_no_meter_against_a_cap_that_is_none(cap):
    assert "<meter" not in html_of(make_session(max_cost_microusd=cap))
