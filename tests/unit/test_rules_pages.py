"""Which pages to read, and how often."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.rules import cadence
from sessions_app.rules.burn import first_burn, updated_burn
from sessions_app.rules.pages import Extent, NewAt, Place, extent, is_last, learned, page_of, plan
from tests.support.answers import NOON, at


def uuid(number: int) -> UUID:
    return UUID(int=number)


@pytest.mark.parametrize(
    ("total", "on_first_page", "expected"),
    [(250, 100, Extent(250, 100)), (250, 50, Extent(250, 50)), (7, 7, Extent(7, 100)), (None, 100, Extent(None, 100)),
     (0, 0, Extent(0, 100)), (5, 100, Extent(5, 100))],
)  # fmt: skip
def test_the_page_size_is_what_the_server_really_gives(total, on_first_page, expected):
    assert extent(total, on_first_page) == expected


def test_pages_with_several_are_read_and_loners_alone():
    places = {uuid(n): Place(rank, 1_000) for n, rank in enumerate([110, 120, 555, 950])}
    todo = plan(list(places), places, Extent(1_000, 100), added=0, new_at=NewAt.FRONT)
    assert todo.pages == [2] and set(todo.alone) == {uuid(2), uuid(3)}


def test_places_move_along_with_what_is_added_in_front():
    places = {uuid(1): Place(190, 1_000), uuid(2): Place(195, 1_000)}
    assert plan(list(places), places, Extent(1_010, 100), added=10, new_at=NewAt.FRONT).pages == [3]
    assert plan(list(places), places, Extent(1_010, 100), added=10, new_at=NewAt.BACK).pages == [2, 11]


def test_what_has_no_place_is_read_alone_until_the_whole_list_is_cheaper():
    some, many = [uuid(n) for n in range(3)], [uuid(n) for n in range(30)]
    assert plan(some, {}, Extent(1_000, 100), added=0, new_at=NewAt.FRONT).alone == some
    assert plan(many, {}, Extent(1_000, 100), added=0, new_at=NewAt.FRONT) == ([*range(2, 11)], [])


@given(
    st.dictionaries(st.integers(0, 10**6).map(uuid), st.integers(0, 4_999), max_size=300),
    st.integers(0, 400),
    st.sampled_from(NewAt),
)
def test_never_more_requests_than_pages(ranks, added, new_at):
    known = Extent(5_000, 100)
    places = {one: Place(rank, 5_000 - added) for one, rank in ranks.items()}
    todo = plan(list(places), places, known, added=added, new_at=new_at)
    assert 1 + len(todo.pages) + len(todo.alone) <= 50
    assert 1 not in todo.pages and all(page <= 50 for page in todo.pages)
    pages_needed = {page_of(place, known, new_at=new_at) for place in places.values()}
    if len(todo.pages) < 49:
        new = max(-(-added // 100), new_at == NewAt.BACK)
        assert len(todo.pages) + len(todo.alone) <= len(pages_needed) + new


KNOWN = Extent(1_010, 100)


@pytest.mark.parametrize(
    ("before", "new", "added", "at_end", "after"),
    [
        (NewAt.FRONT, {1: 10}, 10, (), NewAt.FRONT),
        (NewAt.BACK, {1: 10}, 10, (), NewAt.FRONT),
        (NewAt.ANYWHERE, {1: 1}, 10, (), NewAt.ANYWHERE),
        (NewAt.FRONT, {}, 10, (), NewAt.BACK),  # nothing new in front: look at the end
        (NewAt.BACK, {11: 9}, 10, (11,), NewAt.BACK),
        (NewAt.BACK, {4: 10}, 10, (11,), NewAt.ANYWHERE),
        (NewAt.ANYWHERE, {11: 10}, 10, (11,), NewAt.BACK),
        (NewAt.ANYWHERE, {1: 10}, 0, (11,), NewAt.ANYWHERE),  # nothing was added: nothing is learned
        (NewAt.FRONT, {1: 100}, 5_000, (), NewAt.FRONT),  # more than a page holds
    ],
)
def test_where_new_ones_stand_is_learned_by_watching(before, new, added, at_end, after):
    assert learned(before, new, added, KNOWN, at_end=at_end) == after


def test_in_a_list_of_no_order_places_move_along_in_proportion():
    known = Extent(2_000, 100)
    assert page_of(Place(500, 1_000), known, new_at=NewAt.ANYWHERE) == 11
    assert page_of(Place(500, 1_000), known, new_at=NewAt.BACK) == 6
    assert page_of(Place(500, 1_000), known, new_at=NewAt.FRONT) == 16


def test_a_plan_that_asks_for_nearly_everything_asks_for_all():
    places = {uuid(n): Place(100 * page + spot, 2_000) for n, (page, spot) in
              enumerate((page, spot) for page in range(1, 19) for spot in (3, 60))}  # fmt: skip
    todo = plan(list(places), places, Extent(2_000, 100), added=1, new_at=NewAt.ANYWHERE)
    assert todo == ([*range(2, 21)], [])


def test_where_a_list_ends():
    assert is_last(Extent(250, 100), 3, 50) and not is_last(Extent(250, 100), 2, 100)
    assert not is_last(Extent(250, 100), 2, 99), "a short page in the middle"
    assert not is_last(Extent(100, 100), 1, 100), "a total that is too low"
    assert is_last(Extent(900, 100), 4, 0) and is_last(Extent(None, 100), 1, 99)


def test_a_refusal_is_obeyed_and_failures_are_met_with_patience():
    assert cadence.after_failure(1, "rate_limited", 7).total_seconds() == 7
    bad_key = [cadence.after_failure(n, "unauthorized", None).total_seconds() for n in (1, 2, 3, 4, 5, 99)]
    assert bad_key == [5, 10, 20, 40, 60, 60]
    pauses = [
        cadence.after_failure(n, "server_fault", None).total_seconds()
        for n in (1, 3, 9, 10**6)
        for _ in range(50)
    ]
    assert min(pauses) > 0 and max(pauses) <= cadence.LONGEST_BACKOFF_S
    partly = [cadence.after_failure(99, "timed_out", None, partly=True).total_seconds() for _ in range(50)]
    assert max(partly) <= cadence.LONGEST_BACKOFF_PARTLY_S


def test_a_live_account_is_read_every_two_ticks():
    assert 1 < cadence.after_success(3).total_seconds() < 2 < cadence.after_success(0).total_seconds()
    assert cadence.reconcile_every(3) < cadence.reconcile_every(50) < cadence.reconcile_every(5_000)


@given(st.integers(0, 10**12), st.integers(-(10**15), 10**15), st.floats(0, 10**6))
def test_a_rate_is_never_negative_nor_absurd(burn, spent, elapsed):
    assert 0 <= updated_burn(burn, spent, NOON, at(elapsed), NOON) <= 10**12
    assert 0 <= first_burn(spent, NOON, at(elapsed)) <= 10**12


def test_a_rate_follows_steady_spending():
    burn, since = 0, NOON
    for seconds in range(5, 600, 5):
        burn, since = updated_burn(burn, 5_000, since, at(seconds), NOON), at(seconds)
    assert burn == pytest.approx(60_000, rel=0.02)
