"""What history may lose, and what it never loses."""

from datetime import UTC, datetime
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.rules.history import from_ms, to_ms
from sessions_app.rules.retention import COARSE_MS, FINE_MS, Horizons, Policy, Seen, droppable, horizons

NOW = datetime(2026, 7, 31, 12, 34, 56, tzinfo=UTC)
DAY_MS = 86_400_000
RUNNING, IDLE, STOPPED = 3, 2, 4


def left(snapshots: list[Seen], until: Horizons, marks: list[int] = ()) -> list[Seen]:
    gone = set(droppable(snapshots, until, marks))
    return [one for one in snapshots if one.at_ms not in gone]


def every(seconds: int, number: int, since_ms: int = 0, status: int = RUNNING) -> list[Seen]:
    return [Seen(since_ms + n * seconds * 1000, status) for n in range(number)]


def minutes(snapshots: list[Seen]) -> list[float]:
    return [one.at_ms / 60_000 for one in snapshots]


# ---- by example ------------------------------------------------------------------------------------


def test_horizons_are_whole_hours_ago():
    until = horizons(Policy(7, 30), NOW)
    assert from_ms(until.full_until_ms) == datetime(2026, 7, 24, 12, tzinfo=UTC)
    assert from_ms(until.fine_until_ms) == datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("policy", [Policy(0, 0), Policy(0, 30)])
def test_nought_days_keep_all_for_ever(policy):
    assert horizons(policy, NOW).full_until_ms == 0


def test_nothing_is_coarser_than_what_is_kept_in_full():
    until = horizons(Policy(30, 7), NOW)
    assert until.fine_until_ms == until.full_until_ms


def test_what_is_young_stays():
    snapshots = every(5, 1_000, to_ms(NOW) - DAY_MS)
    assert left(snapshots, horizons(Policy(7, 30), NOW)) == snapshots


def test_the_last_of_each_five_minutes_then_of_each_hour():
    snapshots = every(60, 181)  # three hours, a minute apart
    assert minutes(left(snapshots, Horizons(2**60, 0)))[:5] == [0, 4, 9, 14, 19]
    assert minutes(left(snapshots, Horizons(2**60, 2**60))) == [0, 59, 119, 179, 180]


def test_both_sides_of_a_change_of_status_stay():
    snapshots = [
        Seen(n * 1000, status) for n, status in enumerate([1, 3, 3, 3, 3, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4])
    ]
    assert [one.at_ms // 1000 for one in left(snapshots, Horizons(2**60, 2**60))] == [
        0,
        1,
        4,
        5,
        7,
        8,
        11,
        12,
        14,
    ]


def test_both_sides_of_a_stop_stay():
    snapshots = every(10, 60)
    kept = [one.at_ms // 1000 for one in left(snapshots, Horizons(2**60, 2**60), [123_456, 300_000])]
    assert kept == [0, 120, 130, 300, 590]


# ---- whatever happens ------------------------------------------------------------------------------

gaps = st.sampled_from([1_000, 5_000, 61_000, FINE_MS, 20 * 60_000, COARSE_MS, 7 * COARSE_MS]) | st.integers(
    1, DAY_MS
)
stories = st.lists(st.tuples(gaps, st.integers(0, 6), st.integers(-50, 900)), min_size=1, max_size=120)
limits = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(
    lambda hours: Horizons(max(hours) * COARSE_MS, min(hours) * COARSE_MS)
)


@st.composite
def sessions(draw) -> tuple[list[Seen], dict[int, int], list[int]]:
    """Snapshots, the total at each, and moments of stops."""
    at, total, snapshots, totals = 0, 0, [], {}
    for gap, status, spent in draw(stories):
        at, total = at + gap, total + spent
        snapshots.append(Seen(at, status if draw(st.integers(0, 3)) == 0 else RUNNING))
        totals[at] = total
    return snapshots, totals, draw(st.lists(st.integers(0, at + 1), max_size=3))


def changes(snapshots: list[Seen]) -> list[int]:
    return [code for code, _ in groupby(snapshots, key=lambda one: one.status_code)]


def spent_by(stretch_ms: int, snapshots: list[Seen], totals: dict[int, int]) -> dict[int, int]:
    """Of each stretch in which something was seen, the rise since the one before: what the books say of it."""
    ends = {one.at_ms // stretch_ms: totals[one.at_ms] for one in snapshots}
    first = next(iter(ends.items()))
    return dict([first]) | {b: after - before for (_, before), (b, after) in pairwise(ends.items())}


@given(sessions(), limits)
def test_what_must_stay_stays(session, until):
    snapshots, totals, marks = session
    kept = left(snapshots, until, marks)
    assert kept[0] == snapshots[0] and kept[-1] == snapshots[-1]
    assert [one for one in kept if one.at_ms >= until.full_until_ms] == [
        one for one in snapshots if one.at_ms >= until.full_until_ms
    ]
    assert changes(kept) == changes(snapshots)
    assert {b.at_ms for a, b in pairwise(snapshots) if a.status_code != b.status_code} <= {
        one.at_ms for one in kept
    }
    assert spent_by(COARSE_MS, kept, totals) == spent_by(COARSE_MS, snapshots, totals)
    for mark in marks:
        assert max((one for one in kept if one.at_ms <= mark), default=None) == max(
            (one for one in snapshots if one.at_ms <= mark), default=None
        )
        assert next((one for one in kept if one.at_ms >= mark), None) == next(
            (one for one in snapshots if one.at_ms >= mark), None
        )


@given(sessions(), limits)
def test_a_second_time_drops_nothing(session, until):
    snapshots, _, marks = session
    assert list(droppable(left(snapshots, until, marks), until, marks)) == []


@given(sessions(), limits, limits)
def test_growing_old_in_two_steps_ends_as_in_one(session, one, other):
    snapshots, _, marks = session
    later = Horizons(*map(max, zip(one, other, strict=True)))
    assert left(left(snapshots, one, marks), later, marks) == left(snapshots, later, marks)


@given(sessions())
def test_what_is_left_is_bounded_by_time_not_by_how_often_we_looked(session):
    snapshots, _, _ = session
    kept = left(snapshots, Horizons(2**60, 2**60))
    hours = {one.at_ms // COARSE_MS for one in snapshots}
    assert len(kept) <= 2 + len(hours) + 2 * (len(changes(snapshots)) - 1)
