"""Costs: the month added up against its budgets, and how many sessions cost how much."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User

from sessions_app.costs.budgets import standings
from sessions_app.costs.chart import PLOT_BOTTOM, PLOT_TOP
from sessions_app.costs.course import Course, course
from sessions_app.costs.outlook import forecast
from sessions_app.costs.question import question
from sessions_app.costs.spread import EDGES, Step, spread
from sessions_app.models import Budget
from sessions_app.templatetags.costs import between
from tests.support.spending import spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 16, tzinfo=UTC)
"""Half of its month is over."""


def asked(zone="UTC", **query):
    return question(query, zone, NOW)


def drawn(wanted=None) -> Course | None:
    wanted = wanted or asked()
    return course(wanted, NOW, forecast(wanted, NOW), standings(NOW))


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([-0-9.]+) ([-0-9.]+)", path)]


# ---- the month added up --------------------------------------------------------------------------------


def test_every_day_stands_on_the_ones_before():
    spend([(NOW - 20 * DAY, 1_000)])  # in October
    spend([(NOW - 14 * DAY, 5), (NOW - 12 * DAY, 12)])
    spend([(NOW + DAY, 100)])  # not yet
    found = drawn()
    assert found and found.month == date(2026, 11, 1)
    assert [(one.day.day, one.spent, one.so_far) for one in found.days[:6]] == [
        (1, 0, 0), (2, 5, 5), (3, 0, 5), (4, 7, 12), (5, 0, 12), (6, 0, 12),
    ]  # fmt: skip
    assert found.days[-1].day == NOW.date() and found.so_far == 12


def test_the_line_ends_now_and_the_forecast_with_the_month():
    for back in range(1, 16):
        spend([(NOW - back * DAY, 1_000_000)])
    found = drawn()
    assert found
    line, ahead, band = points(found.line), points(found.ahead), points(found.band)
    assert line[0] == (0, PLOT_BOTTOM) and line[-1][0] == pytest.approx(500)
    assert [y for _, y in line] == sorted((y for _, y in line), reverse=True)
    assert ahead[0] == line[-1] and ahead[1][0] == 1000
    assert ahead[1][1] == pytest.approx(
        PLOT_BOTTOM - 2 * (PLOT_BOTTOM - line[-1][1]), abs=0.1
    )  # twice as high
    assert band[1][1] <= ahead[1][1] <= band[2][1]
    assert all(PLOT_TOP <= y <= PLOT_BOTTOM for _, y in line + ahead + band)


def test_no_forecast_no_line_ahead():
    spend([(NOW - DAY, 10)])
    found = drawn()
    assert found and found.line and not (found.ahead or found.band)


def test_nothing_spent_this_month_is_no_chart():
    spend([(NOW - 20 * DAY, 1_000)])
    assert drawn() is None


def test_days_are_the_readers():
    spend([(datetime(2026, 10, 31, 23, tzinfo=UTC), 7)])  # November already in Berlin
    assert drawn() is None
    found = drawn(asked("Europe/Berlin"))
    assert found and found.days[0].so_far == 7


def test_budgets_of_the_month_for_just_this_are_drawn():
    spend([(NOW - DAY, 50)], model="a")
    for name, fields in {
        "all": {},
        "of a": {"facet": "model", "value": "a"},
        "weekly": {"period": "week"},
        "far above": {"amount_microusd": 100_000},
    }.items():
        Budget.objects.create(
            **{"name": name, "amount_microusd": 100, "period": "month", "warn_at": [80], "made_at": NOW}
            | fields
        )
    everything, only_a = drawn(), drawn(asked(model="a"))
    assert everything and [(one.name, one.amount) for one in everything.limits] == [("all", 100)]
    assert only_a and [one.name for one in only_a.limits] == ["of a"]
    assert everything.limits[0].y == PLOT_TOP  # the highest there is


# ---- what a session cost -------------------------------------------------------------------------------


def test_each_session_stands_in_one_step():
    spent = [-5, 0, 9_999, 10_000, 19_999, 20_000, 3_000_000, 10**9 - 1, 10**9, 10**12]
    for microusd in spent:
        spend([(NOW - DAY, microusd)])
    found = spread(asked(range="all"))
    assert found
    for step in found.steps:
        inside = [one for one in spent if (step.least or -9) <= one < (step.below or 10**15) and one]
        assert (step.sessions, step.microusd) == (len(inside), sum(inside)), step
    assert found.sessions == len(spent) - 1 and found.microusd == sum(spent)  # one has booked nothing
    assert len(found.steps) == len(EDGES) + 1


def test_empty_steps_at_the_ends_are_left_out():
    for microusd in (60_000, 300_000):
        spend([(NOW - DAY, microusd)])
    found = spread(asked())
    assert found
    words = [between(step) for step in found.steps]
    assert words == ["$0.05 to $0.10", "$0.10 to $0.20", "$0.20 to $0.50"]
    assert [bars.sessions_height > 0 for bars in found.bars] == [True, False, True]
    assert found.bars[0].sessions_height == found.bars[2].sessions_height
    assert found.bars[2].spend_height == pytest.approx(5 * found.bars[0].spend_height, rel=0.01)


def test_only_what_was_spent_in_the_stretch_counts():
    spend([(NOW - 40 * DAY, 5_000_000), (NOW - DAY, 5_030_000)])
    found = spread(asked())
    assert found and [between(step) for step in found.steps] == ["$0.02 to $0.05"]
    assert spread(asked(model="never heard of")) is None


@pytest.mark.parametrize(
    ("ends", "words"), [((None, 10_000), "less than $0.01"), ((10**9, None), "$1,000 or more")]
)
def test_open_ends_in_words(ends, words):
    assert between(Step(*ends, 1, 1)) == words


def test_both_stand_on_the_page_with_their_tables(client):
    user = User.objects.create_user("lena")
    user.groups.add(Group.objects.get(name="lead"))
    client.force_login(user)
    now = datetime.now(UTC)
    spend([(now, 30_000)])
    page = client.get("/costs/?range=today").content.decode()
    assert 'data-so-far-microusd="30000"' in page
    assert re.findall(r'data-step-sessions="(\d+)" data-step-microusd="(\d+)"', page) == [("1", "30000")]
