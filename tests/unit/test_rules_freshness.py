"""How a budget that is too small is spread."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.rules import freshness
from sessions_app.rules.freshness import (
    TARGET_S,
    Ask,
    Care,
    age_at,
    care_of,
    in_order,
    is_due,
    outlook,
    urgency,
)

cares = st.sampled_from(list(Care))
requests = st.dictionaries(cares, st.floats(0, 5_000), min_size=1)
budgets = st.floats(0.05, 500)


def test_what_may_be_at_work_is_followed_closely():
    assert care_of("running") == care_of("hibernating") == Care.RUNNING
    assert care_of("idle") == care_of("created") == Care.RESTING


@pytest.mark.parametrize(
    ("care", "age", "next_in", "due"),
    [
        (Care.RUNNING, 2.0, 2.0, True),
        (Care.RUNNING, 0.5, 2.0, False),
        (Care.RESTING, 9.0, 2.0, False),
        (Care.RESTING, 13.5, 2.0, True),
        (Care.OPENED, 0.3, 0.8, True),
    ],
)
def test_due_is_what_would_be_too_old_before_the_next_chance(care, age, next_in, due):
    assert is_due(care, age, next_in) is due


def test_a_thousand_sessions_on_eleven_pages_fit_ten_requests_a_second():
    found = outlook({Care.RUNNING: 11, Care.RESTING: 3}, 10)
    assert not found.is_short and found.needed_per_s < 5


def test_with_two_a_second_everything_is_late_by_one_factor():
    found = outlook({Care.RUNNING: 11, Care.RESTING: 3, Care.OPENED: 1}, 2)
    assert found.is_short and found.needed_per_s == pytest.approx(11 / 3 + 3 / 15 + 1)
    assert found.ages_s[Care.OPENED] < 2.5
    assert 7 < found.ages_s[Care.RUNNING] < 15
    assert found.ages_s[Care.RESTING] > 50


@given(requests, budgets)
def test_what_is_promised_fits_the_budget_and_is_not_slower_than_it_must_be(wanted, budget):
    found = outlook(wanted, budget)
    spent = sum(count / found.ages_s[care] for care, count in wanted.items())
    assert spent <= budget + 1e-9 or found.factor >= freshness.LARGEST_FACTOR
    assert all(age >= TARGET_S[care] for care, age in found.ages_s.items())
    if found.is_short and found.factor > 1.02:
        faster = {care: age_at(found.factor - 0.01, care) for care in wanted}
        assert sum(count / faster[care] for care, count in wanted.items()) > budget


@given(requests, budgets, st.floats(1, 10))
def test_more_budget_never_makes_anything_older(wanted, budget, times):
    poor, rich = outlook(wanted, budget), outlook(wanted, budget * times)
    assert all(rich.ages_s[care] <= poor.ages_s[care] + TARGET_S[care] * 0.02 for care in wanted)


@given(cares, st.floats(1, 100))
def test_urgency_is_the_factor_turned_round(care, factor):
    assert urgency(care, age_at(factor, care)) == pytest.approx(factor)


@given(st.lists(st.tuples(cares, st.floats(0, 1000), st.integers(1, 100)), max_size=40))
def test_the_most_urgent_first_and_nothing_is_lost(drawn):
    asks = [Ask(UUID(int=n) if n % 2 else n, urgency(c, a), m) for n, (c, a, m) in enumerate(drawn)]
    ordered = in_order(asks)
    assert sorted(map(str, ordered)) == sorted(map(str, asks))
    assert all(a.urgency >= b.urgency for a, b in pairwise(ordered))


@given(st.dictionaries(cares, st.integers(1, 40), min_size=1), st.integers(1, 12))
def test_read_by_urgency_nobody_starves_and_all_come_near_what_was_promised(counts, per_s):
    """Second by second with so many requests, each reading one session: after a while ages are as promised."""
    sessions = [(care, number) for care, count in counts.items() for number in range(count)]
    age = dict.fromkeys(sessions, 0.0)
    worst = dict.fromkeys(counts, 0.0)
    for second in range(400):
        age = {one: seconds + 1 for one, seconds in age.items()}
        for care in counts:
            if second > 200:
                worst[care] = max(worst[care], *(age[one] for one in sessions if one[0] == care))
        due = sorted(
            (one for one in sessions if is_due(one[0], age[one], 1)), key=lambda o: -urgency(o[0], age[o])
        )
        age |= dict.fromkeys(due[:per_s], 0.0)
    promised = outlook(counts, per_s).ages_s
    for care, seconds in worst.items():
        assert seconds <= promised[care] * 1.5 + 6
