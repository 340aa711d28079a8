"""What it cost: every figure is a sum of bookings, and the bookings are the sessions' totals."""

import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.costs.bookkeeper import forget
from sessions_app.costs.books import disagreement, first_disagreement
from sessions_app.costs.chart import chart
from sessions_app.costs.question import day_of, question
from sessions_app.costs.report import report
from sessions_app.models import AgentSession, CostHour, UpstreamName
from sessions_app.polling.ingest import apply_answers
from tests.support.factories import make_account
from tests.support.spending import NOW, reading, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

HOUR = timedelta(hours=1)
ZONES = sorted(available_timezones() - {"localtime"})


def person(name: str, role: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def lena(client):
    """A lead, who may see what sessions cost."""
    client.force_login(person("lena", "lead"))
    return client


def asked(zone="UTC", **query):
    return question({name: str(value) for name, value in query.items()}, zone, NOW)


def shown(html: str, name: str) -> list[int]:
    return [int(value) for value in re.findall(rf'{name}="(-?\d+)"', html)]


def session_costs(html: str) -> list[int]:
    return [int(cost) for cost in re.findall(r'data-session-id="[^"]+" data-cost-microusd="(-?\d+)"', html)]


# ---- who may see it --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/costs/", "/costs/export.csv", "/costs/export.json"])
def test_a_viewer_is_told_in_words_that_costs_are_for_others(client, path):
    client.force_login(person("vera", "viewer"))
    answer = client.get(path)
    assert answer.status_code == 403
    assert "people who may see what sessions cost" in answer.content.decode()


def test_nobody_sees_it_without_signing_in(client):
    assert client.get("/costs/")["Location"].startswith("/accounts/login/")


# ---- the sums --------------------------------------------------------------------------------------


def test_the_total_is_the_sum_of_the_sessions_and_of_the_days(lena):
    spend([(NOW - 30 * HOUR, 1_000_001), (NOW - 2 * HOUR, 1_500_003)])
    spend([(NOW - HOUR, 7)])
    html = lena.get("/costs/?range=all").content.decode()
    assert shown(html, "data-total-microusd") == [1_500_010]
    assert sorted(session_costs(html)) == [7, 1_500_003]
    assert sum(shown(re.sub(r"(?s)<main.*?Day by day", "", html), "data-cost-microusd")[:2]) == 1_500_010


def test_a_stretch_counts_only_what_was_spent_in_it():
    session = spend([(NOW - 30 * HOUR, 400), (NOW - HOUR, 1_000)])
    answer = report(asked(range="today"))
    assert answer.total.total == 600
    assert [(one.session.pk, one.spend.total) for one in answer.sessions] == [(session.pk, 600)]


def test_parts_and_what_is_beyond_them_make_up_the_total():
    spend([(NOW, 1_000)], llm_cost_microusd=600, browser_cost_microusd=100, proxy_cost_microusd=50)
    total = report(asked(range="all")).total
    assert (total.llm, total.browser, total.proxy, total.rest, total.total) == (600, 100, 50, 250, 1_000)


def test_a_total_that_falls_is_a_negative_booking_and_the_sum_stays_true():
    spend([(NOW - 3 * HOUR, 900), (NOW - HOUR, 700)])
    answer = report(asked(range="all"))
    assert answer.total.total == 700
    assert [spent.total for _, spent in answer.hours] == [900, -200]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 24 * 40), st.none() | st.integers(-(10**7), 10**12)),
        max_size=40,
    )
)
def test_whatever_upstream_says_the_books_agree_with_the_sessions(readings):
    CostHour.objects.all().delete()
    AgentSession.objects.all().delete()
    forget()
    account = make_account()
    uuids = [uuid4() for _ in range(6)]
    for which, hours_ago, total in readings:
        at = NOW - hours_ago * HOUR
        apply_answers(account, [reading(uuids[which], at, total)])
    answer = report(asked(range="all"))
    known = sum(session.total_cost_microusd or 0 for session in AgentSession.objects.all())
    assert answer.disagreement is None
    assert known == answer.total.total == sum(day.spend.total for day in answer.days)
    assert known == sum(one.spend.total for one in answer.sessions)
    assert known == sum(one.microusd for one in answer.outcomes)
    for grouping in answer.groups:
        assert known == sum(group.microusd for group in grouping.groups)


def test_books_that_are_wrong_are_said_to_be(lena):
    spend([(NOW, 500)])
    wrong = spend([(NOW, 800)], title="The odd one")
    CostHour.objects.filter(session=wrong).update(total_microusd=799)
    assert disagreement() == (1_299, 1_300, None)
    assert first_disagreement() == (799, 800, wrong)
    assert "books and the sessions disagree" in lena.get("/costs/?range=all").content.decode()
    with pytest.raises(CommandError, match=str(wrong.uuid)):
        call_command("verify_costs")


def test_books_that_are_right_are_proven(capsys):
    spend([(NOW, 500)])
    call_command("verify_costs")
    assert "1 sessions add up" in capsys.readouterr().out


# ---- days ------------------------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.dates(date(2001, 1, 1), date(2037, 1, 1)),
    st.integers(0, 40),
    st.integers(-60, 60),
)
def test_an_hour_is_in_the_stretch_exactly_when_its_day_is(zone, first, length, near):
    """In every zone, on days of 23 and 25 hours too: filter and days never disagree about an hour."""
    last = first + timedelta(days=length)
    stretch = question({"from": str(first), "to": str(last)}, zone, NOW)
    for edge in (stretch.first_hour, stretch.end_hour):
        hour = edge + near
        assert (stretch.first_hour <= hour < stretch.end_hour) == (
            first <= day_of(hour, ZoneInfo(zone)) <= last
        )


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 25), ("UTC", 24)])
def test_the_day_on_which_clocks_go_back_has_an_hour_more(zone, hours):
    stretch = question({"from": "2026-10-25", "to": "2026-10-25"}, zone, NOW)
    assert stretch.end_hour - stretch.first_hour == hours


def test_days_are_the_readers_own():
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    spend([(late, 100)])
    assert [day.day for day in report(asked("UTC")).days] == [date(2026, 11, 23)]
    assert [day.day for day in report(asked("Europe/Berlin")).days] == [date(2026, 11, 24)]


def test_the_zone_comes_from_the_cookie_or_the_address_and_nonsense_is_utc(lena):
    lena.cookies["tz"] = "Asia%2FTokyo"
    assert "days of Asia/Tokyo" in lena.get("/costs/").content.decode()
    assert "days of Asia/Kolkata" in lena.get("/costs/?tz=Asia/Kolkata").content.decode()
    assert "days of UTC" in lena.get("/costs/?tz=../../etc/passwd").content.decode()


def test_where_days_begin_on_the_half_hour_the_page_says_what_that_means(lena):
    spend([(NOW, 100)])
    assert "first minutes after midnight" in lena.get("/costs/?range=all&tz=Asia/Kolkata").content.decode()
    assert "first minutes after midnight" not in lena.get("/costs/?range=all").content.decode()


# ---- groups and outcomes ---------------------------------------------------------------------------


def test_people_read_names_where_the_vendor_has_them():
    account, profile, workspace = make_account(), uuid4(), uuid4()
    UpstreamName.objects.create(account=account, kind="profile", uuid=profile, name="Anna’s browser")
    spend([(NOW, 100)], account, profile_id=profile, workspace_id=workspace, proxy_country="de")
    groups = {grouping.facet: grouping.groups[0].words for grouping in report(asked(range="all")).groups}
    assert groups["profile"] == "Anna’s browser"
    assert groups["workspace"] == f"{str(workspace)[:8]}…"
    assert groups["country"] == "DE"


def test_a_profile_says_whose_it_is(lena):
    account, profile = make_account(), uuid4()
    UpstreamName.objects.create(
        account=account, kind="profile", uuid=profile, name="Anna’s browser", customer_id="customer-<7>"
    )
    spend([(NOW, 100)], account, profile_id=profile)
    by_profile = next(one for one in report(asked(range="all")).groups if one.facet == "profile")
    assert by_profile.groups[0].customer == "customer-<7>"
    assert "customer-&lt;7&gt;" in lena.get("/costs/?range=all").content.decode()


def test_by_status_and_one_status_alone():
    spend([(NOW, 100)], status="running")
    spend([(NOW, 30)], status="timed_out")
    spend([(NOW, 4)], status="hibernating")  # of which nobody has heard
    by_status = next(one for one in report(asked(range="all")).groups if one.facet == "status")
    found = [(group.value, group.words, group.microusd) for group in by_status.groups]
    assert found == [
        ("running", "Running", 100), ("timed_out", "Timed out", 30), ("hibernating", "Hibernating", 4),
    ]  # fmt: skip
    assert report(asked(range="all", status="timed_out")).total.total == 30


def test_many_groups_are_shortened_but_still_add_up():
    for number in range(15):
        spend([(NOW, 100 + number)], model=f"model-{number}")
    by_model = report(asked(range="all")).groups[0].groups
    assert len(by_model) == 9
    assert by_model[0].words == "model-14"
    assert by_model[-1].words == "7 others"
    assert sum(group.microusd for group in by_model) == sum(range(100, 115))


def test_a_filter_selects_its_sessions_and_the_total_follows(lena):
    spend([(NOW, 100)], model="bu-mini")
    spend([(NOW, 50)], model="")
    assert shown(lena.get("/costs/?range=all&model=bu-mini").content.decode(), "data-total-microusd") == [100]
    assert shown(lena.get("/costs/?range=all&model=none").content.decode(), "data-total-microusd") == [50]


@pytest.mark.parametrize("profile", ["none", "nonsense", "\0", "9" * 200])
def test_a_filter_that_is_none_asks_for_nothing_in_particular(lena, profile):
    spend([(NOW, 100)])
    assert lena.get("/costs/", {"range": "all", "profile": profile}).status_code == 200


def test_waste_is_what_bought_no_success():
    spend([(NOW, 10)], status="stopped", is_task_successful=True)
    spend([(NOW, 20)], status="idle", is_task_successful=True)
    spend([(NOW, 300)], status="idle", is_task_successful=False)
    spend([(NOW, 4_000)], status="error")
    spend([(NOW, 50_000)], status="timed_out")
    spend([(NOW, 600_000)], status="stopped")
    spend([(NOW, 7_000_000)], status="running", is_task_successful=False)
    spend([(NOW, 80_000_000)], status="hibernating")
    answer = report(asked(range="all"))
    assert answer.wasted_microusd == 654_300
    assert answer.succeeded == 2
    assert answer.per_success_microusd == (87_654_330 + 1) // 2
    assert {one.outcome.key for one in answer.outcomes if not one.outcome.wasted} == {
        "succeeded", "under_way", "other"
    }  # fmt: skip


# ---- the list --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "titles"),
    [
        ("cost", ["b", "C", "a"]),
        ("created", ["C", "a", "b"]),
        ("title", ["a", "b", "C"]),
        ("steps", ["a", "b", "C"]),
    ],
)
def test_sessions_are_sorted_as_asked(sort, titles):
    for title, cost, steps, minutes in (("a", 1, 9, 2), ("b", 3, 8, 3), ("C", 2, 7, 1)):
        spend([(NOW, cost)], title=title, step_count=steps, created_at=NOW - timedelta(minutes=minutes))
    answer = report(asked(range="all", sort=sort))
    assert [one.session.title for one in answer.sessions] == titles


def test_pages_hold_every_session_once_with_a_constant_number_of_queries(lena, django_assert_max_num_queries):
    account = make_account()
    for number in range(53):
        spend([(NOW, 1_000)], account, title=f"Session {number}")
    seen = []
    for page in (1, 2):
        with django_assert_max_num_queries(30):
            html = lena.get(f"/costs/?range=all&page={page}").content.decode()
        seen += re.findall(r'data-session-id="([^"]+)"', html)
    assert len(seen) == len(set(seen)) == 53


def test_nasty_titles_are_only_words(lena):
    spend([(NOW, 100)], title="<script>alert(1)</script>", model="<b>odd</b>")
    html = lena.get("/costs/?range=all").content.decode()
    assert "<script>alert" not in html
    assert "<b>odd" not in html


def test_nothing_spent_is_said_and_is_zero(lena):
    html = lena.get("/costs/").content.decode()
    assert "Nothing spent" in html
    assert shown(html, "data-total-microusd") == [0]


# ---- the chart -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "unit", "bars"),
    [
        ({"range": "today"}, "hour", 24),
        ({"range": "7d"}, "day", 7),
        ({"range": "30d"}, "day", 30),
        ({"from": "2026-10-25", "to": "2026-10-25", "tz": "Europe/Berlin"}, "hour", 25),
        ({"from": "2025-12-15"}, "month", 12),
    ],
)
def test_a_stretch_is_drawn_in_fitting_steps(query, unit, bars):
    spend([(datetime(2026, 10, 25, 10, tzinfo=UTC), 40), (NOW, 100)])
    drawn = chart(report(asked(**query)), NOW)
    assert (drawn.unit, len(drawn.bars)) == (unit, bars)
    assert sum(bar.spend.total for bar in drawn.bars) == report(asked(**query)).total.total


def test_bars_stay_in_the_picture_and_the_lines_are_round():
    spend([(NOW - 50 * HOUR, 123_456), (NOW, 999_999_999)])
    drawn = chart(report(asked()), NOW)
    for bar in drawn.bars:
        assert bar.x >= 0 and bar.x + bar.width <= 100
        assert all(part.y >= 6 and part.y + part.height <= 88.01 for part in bar.parts)
    assert [tick.level for tick in drawn.ticks] == [0, 500_000_000, 1_000_000_000]
