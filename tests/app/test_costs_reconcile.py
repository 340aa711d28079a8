"""What left the balance against what sessions cost: compared over the same hours, and the difference shown."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.costs.reconcile import reconciliation
from sessions_app.models import Account, BalanceHour
from sessions_app.polling import balances
from sessions_app.rules.history import from_hour, to_hour
from tests.app.test_costs import asked, person
from tests.support.factories import make_account
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DOLLAR = 1_000_000


def read(account: Account, *readings) -> None:
    """(how long ago, dollars) …, in the order in which they come in."""
    for ago, dollars in readings:
        balances.note(account.pk, round(dollars * DOLLAR), NOW - ago)


def told(**query):
    found = reconciliation(asked(**query or {"range": "7d"}), NOW)
    return [(one.fell, one.rose, one.booked, one.difference) for one in found]


# ---- how a balance moved -------------------------------------------------------------------------------


def test_falls_and_rises_stand_in_the_hour_of_the_later_reading():
    account = make_account()
    read(account, (3 * HOUR, 10), (2 * HOUR, 9), (110 * MINUTE, 8.5), (HOUR, 108.5), (MINUTE, 108))
    rows = BalanceHour.objects.filter(account=account).order_by("hour")
    assert [(row.fell_microusd, row.rose_microusd) for row in rows] == [
        (0, 0),
        (1_500_000, 0),
        (0, 100 * DOLLAR),
        (500_000, 0),
    ]
    assert [row.closing_microusd for row in rows] == [10 * DOLLAR, 8_500_000, 108_500_000, 108 * DOLLAR]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(-(2**62), 2**62)), min_size=1, max_size=12))
def test_in_whatever_order_answers_come_the_moves_add_up_to_first_and_last(readings):
    account = make_account()
    accepted: list[tuple[int, int]] = []
    for second, balance in readings:
        balances.note(account.pk, balance, NOW + timedelta(seconds=second))
        if not accepted or second > accepted[-1][0]:
            accepted.append((second, balance))
    rows = list(BalanceHour.objects.filter(account=account).order_by("hour"))
    assert rows[-1].closing_microusd == accepted[-1][1]
    assert len(rows) == len({to_hour(NOW + timedelta(seconds=second)) for second, _ in accepted})
    if all(max(row.fell_microusd, row.rose_microusd) < balances.LARGEST for row in rows):
        moved = sum(row.rose_microusd - row.fell_microusd for row in rows)
        assert moved == accepted[-1][1] - accepted[0][1]


def test_two_readings_of_the_same_moment_count_once():
    account = make_account()
    read(account, (HOUR, 10), (MINUTE, 9), (MINUTE, 9), (2 * HOUR, 12))
    assert sum(BalanceHour.objects.values_list("fell_microusd", flat=True)) == DOLLAR
    assert sum(BalanceHour.objects.values_list("rose_microusd", flat=True)) == 0


# ---- the comparison ------------------------------------------------------------------------------------


def test_what_left_the_balance_is_what_sessions_cost():
    account = make_account()
    read(account, (5 * HOUR, 50), (3 * HOUR, 48), (MINUTE, 45))
    spend([(NOW - 4 * HOUR, 0), (NOW - 3 * HOUR, 2 * DOLLAR), (NOW - 2 * MINUTE, 5 * DOLLAR)], account)
    (one,) = reconciliation(asked(range="7d"), NOW)
    assert (one.fell, one.rose, one.booked, one.difference) == (5 * DOLLAR, 0, 5 * DOLLAR, 0)
    assert one.agrees
    assert one.since == from_hour(to_hour(NOW - 5 * HOUR) + 1)
    assert one.until == NOW


def test_money_that_no_session_is_charged_with_is_shown_not_hidden():
    account = make_account()
    read(account, (5 * HOUR, 50), (MINUTE, 40))
    spend([(NOW - 2 * HOUR, 3 * DOLLAR)], account)
    assert told() == [(10 * DOLLAR, 0, 3 * DOLLAR, 7 * DOLLAR)]
    assert not reconciliation(asked(range="7d"), NOW)[0].agrees


def test_a_payment_is_no_negative_cost():
    account = make_account()
    read(account, (5 * HOUR, 5), (3 * HOUR, 4), (2 * HOUR, 104), (MINUTE, 102))
    spend([(NOW - 3 * HOUR, DOLLAR), (NOW - HOUR, 3 * DOLLAR)], account)
    assert told() == [(3 * DOLLAR, 100 * DOLLAR, 3 * DOLLAR, 0)]


def test_what_was_spent_before_the_balance_was_watched_is_not_held_against_it():
    account = make_account()
    spend([(NOW - 4 * HOUR, 90 * DOLLAR), (NOW - HOUR, 91 * DOLLAR)], account)
    read(account, (3 * HOUR + 50 * MINUTE, 10), (MINUTE, 9))
    assert told() == [(DOLLAR, 0, DOLLAR, 0)]


def test_only_the_hours_asked_for_count_on_both_sides():
    account = make_account()
    read(account, (60 * HOUR, 50), (40 * HOUR, 46), (MINUTE, 45))
    spend([(NOW - 40 * HOUR, 4 * DOLLAR), (NOW - HOUR, 5 * DOLLAR)], account)
    assert told(range="today") == [(DOLLAR, 0, DOLLAR, 0)]


def test_hours_without_a_reading_are_counted():
    account = make_account()
    read(account, (9 * HOUR, 50), (8 * HOUR, 50), (2 * HOUR, 40), (MINUTE, 40))
    (one,) = reconciliation(asked(range="7d"), NOW)
    assert one.unread_hours == 6


def test_each_account_by_itself_and_none_of_which_nothing_is_known():
    rich, poor, unknown = make_account(name="B"), make_account(name="A"), make_account(name="C")
    for account, dollars in ((rich, 1), (poor, 2)):
        read(account, (5 * HOUR, 50), (MINUTE, 50 - dollars))
        spend([(NOW - HOUR, dollars * DOLLAR)], account)
    spend([(NOW - HOUR, DOLLAR)], unknown)
    read(unknown, (MINUTE, 50))
    found = reconciliation(asked(range="7d"), NOW)
    assert [(one.account, one.fell, one.difference) for one in found] == [
        ("A", 2 * DOLLAR, 0),
        ("B", DOLLAR, 0),
    ]
    assert told(range="7d", account=rich.pk) == [(DOLLAR, 0, DOLLAR, 0)]


@pytest.mark.parametrize("query", [{"model": "claude-opus-4.6"}, {"outcome": "failed"}, {"country": "none"}])
def test_a_part_of_an_account_has_no_balance_of_its_own(query):
    account = make_account()
    read(account, (5 * HOUR, 50), (MINUTE, 40))
    assert told(range="7d", **query) == []


# ---- the page ------------------------------------------------------------------------------------------


def test_the_page_shows_the_difference_to_who_may_see_costs(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    account = make_account(name="<b>Ops</b>")
    read(account, (5 * HOUR, 50), (MINUTE, 40))
    spend([(NOW - 2 * HOUR, 3 * DOLLAR)], account)
    client.force_login(person("lena", "lead"))
    html = client.get("/costs/").content.decode()
    assert re.findall(r'data-difference-microusd="(-?\d+)"', html) == [str(7 * DOLLAR)]
    assert "more left it" in html
    assert "&lt;b&gt;Ops&lt;/b&gt;" in html
    client.force_login(person("vera", "viewer"))
    assert "data-difference" not in client.get("/costs/").content.decode()
