"""What a fresh answer means for what we know."""

from datetime import timedelta
from typing import Any

import pytest

from sessions_app.rules.changes import Known, first_sight, is_late, next_sight
from sessions_app.types import Oddity, SessionData
from tests.support.answers import NOON, at, seen


def known_after(*looks: tuple[float, SessionData]) -> Known:
    """What is stored after these answers, each (seconds after noon, what was seen)."""
    (first_s, first), *later = looks
    columns: dict[str, Any] = first_sight(first, at(first_s)).columns
    for seconds, data in later:
        known = Known(id=1, **{name: columns[name] for name in Known._fields if name != "id"})
        columns = columns | next_sight(known, data, at(seconds)).columns
    return Known(id=1, **{name: columns[name] for name in Known._fields if name != "id"})


def test_a_first_sight_books_everything_to_the_hour_of_the_vendors_update():
    change = first_sight(seen(total_cost_microusd=500, llm_cost_microusd=400), at(7200))
    assert change.spend == (int(NOON.timestamp() // 3600), 400, 0, 0, 500, 0)
    assert change.snapshot and not change.ended


@pytest.mark.parametrize("title", ["     ", "\u200b\u2060", "\t\n", "\u202e"])
def test_a_title_of_which_nothing_can_be_seen_is_none(title):
    assert first_sight(seen(title=title), at(5)).columns["title"] == ""
    assert first_sight(seen(title=title + "a"), at(5)).columns["title"] == title + "a"


def test_a_first_sight_without_dates_goes_by_our_clock():
    columns = first_sight(seen(created_at=None, updated_at=None), at(5)).columns
    assert columns["created_at"] == columns["status_since"] == columns["progress_at"] == at(5)


def test_a_vendor_an_hour_ahead_does_not_put_progress_into_the_future():
    assert first_sight(seen(updated_at=at(3600)), at(5)).columns["progress_at"] == at(5)


@pytest.mark.parametrize("status", ["stopped", "timed_out", "error"])
def test_a_session_found_ended_is_not_live(status):
    columns = first_sight(seen(status=status), at(60)).columns
    assert columns["is_live"] is False and columns["ended_at"] == NOON


@pytest.mark.parametrize("status", ["created", "idle", "running", "hibernating"])
def test_any_other_status_is_live_the_unknown_too(status):
    columns = first_sight(seen(status=status), at(60)).columns
    assert columns["is_live"] is True and columns["ended_at"] is None


def test_a_rise_is_booked_to_the_hour_in_which_it_was_seen():
    known = known_after((0, seen(total_cost_microusd=100)))
    change = next_sight(known, seen(total_cost_microusd=130, proxy_cost_microusd=7), at(4000))
    assert change.spend == (int(at(4000).timestamp() // 3600), 0, 7, 0, 30, 0)


def test_a_fall_is_booked_too_and_said():
    known = known_after((0, seen(total_cost_microusd=100)))
    change = next_sight(known, seen(total_cost_microusd=60), at(2))
    assert change.spend is not None and change.spend.total == -40
    assert change.columns["total_cost_microusd"] == 60
    assert change.columns["oddities"] == [["totalCostUsd", "has fallen"]]


def test_a_negative_total_is_kept_and_said():
    columns = first_sight(seen(total_cost_microusd=-5), at(0)).columns
    assert columns["total_cost_microusd"] == -5
    assert columns["oddities"] == [["totalCostUsd", "is negative"]]


def test_a_missing_cost_keeps_the_last_and_books_nothing():
    known = known_after((0, seen(total_cost_microusd=100)))
    change = next_sight(known, seen(title="Another title"), at(2))
    assert change.columns["total_cost_microusd"] == 100 and change.spend is None
    assert not change.snapshot


def test_what_the_reader_found_odd_stays_with_the_row():
    odd = (Oddity("maxCostUsd", "1e3"),)
    assert first_sight(seen(oddities=odd), at(0)).columns["oddities"] == [["maxCostUsd", "1e3"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "idle"),
        ("step_count", 4),
        ("tokens_in", 9),
        ("llm_cost_microusd", 3),
        ("total_cost_microusd", 3),
    ],
)
def test_what_history_shows_makes_a_snapshot(field, value):
    assert next_sight(known_after((0, seen())), seen(**{field: value}), at(2)).snapshot


def test_a_new_title_makes_none():
    assert not next_sight(known_after((0, seen())), seen(title="Other"), at(2)).snapshot


def test_a_status_longer_than_its_column_does_not_change_each_time():
    known = known_after((0, seen(status="x" * 90)))
    change = next_sight(known, seen(status="x" * 90, title="Other"), at(9))
    assert change.columns["status_since"] == NOON and not change.snapshot


def test_the_same_step_seen_again_and_again_counts():
    looks = [(float(n), seen(step_count=n, last_step="Clicking 'Load more'")) for n in range(1, 6)]
    assert known_after(*looks).step_repeats == 5
    looks.append((9, seen(step_count=9, last_step="Writing the answer")))
    assert known_after(*looks).step_repeats == 1


def test_steps_that_passed_unseen_do_not_count_as_the_same():
    known = known_after(
        (0, seen(step_count=1, last_step="Scrolling")), (2, seen(step_count=40, last_step="Scrolling"))
    )
    assert known.step_repeats == 2


def test_a_new_task_begins_to_count_anew():
    looks = [(float(n), seen(step_count=n, last_step="Scrolling")) for n in range(1, 6)]
    assert known_after(*looks, (9, seen(step_count=1, last_step="Scrolling"))).step_repeats == 1


def test_the_browsers_rent_is_no_progress():
    known = known_after(
        (0, seen(total_cost_microusd=100, browser_cost_microusd=10)),
        (60, seen(total_cost_microusd=130, browser_cost_microusd=40)),
    )
    assert known.progress_at == NOON


@pytest.mark.parametrize("field", ["step_count", "total_cost_microusd", "tokens_out"])
def test_steps_and_costs_and_tokens_are(field):
    assert known_after((0, seen()), (60, seen(**{field: 50}))).progress_at == at(60)


def test_an_end_is_told_once_and_takes_the_attention_along():
    known = known_after((0, seen()))._replace(attention=[{"code": "repeating"}, {"code": "near_cap"}])
    change = next_sight(known, seen(status="stopped"), at(5))
    assert change.ended and change.columns["ended_at"] == at(5) and change.columns["is_live"] is False
    assert change.columns["attention"] == [] and change.columns["attention_rank"] == 0
    assert change.columns["burn_microusd_per_min"] == 0
    ended = known_after((0, seen()), (5, seen(status="stopped")))
    later = next_sight(ended, seen(status="stopped", total_cost_microusd=9), at(9))
    assert not later.ended and later.columns["ended_at"] == at(5)


def test_a_task_that_ends_takes_along_what_was_true_of_the_task_only():
    known = known_after((0, seen()))._replace(
        attention=[{"code": "repeating"}, {"code": "near_cap", "level": 80}]
    )
    columns = next_sight(known, seen(status="idle"), at(5)).columns
    assert columns["attention"] == [{"code": "near_cap", "level": 80}] and columns["attention_rank"] == 40


def test_running_idle_running_is_legal():
    known = known_after((0, seen()), (5, seen(status="idle")), (9, seen(status="running")))
    assert known.status == "running" and known.status_since == at(9) and known.ended_at is None


def test_an_ended_session_that_lives_again_is_taken_and_said():
    known = known_after((0, seen(status="stopped")))
    columns = next_sight(known, seen(status="running"), at(9)).columns
    assert columns["is_live"] is True and columns["ended_at"] is None
    assert columns["oddities"] == [["status", "had ended, and lives again"]]


def test_an_answer_to_an_earlier_request_is_late():
    known = known_after((10, seen(updated_at=at(10))))
    assert is_late(known, seen(updated_at=at(50)), at(9))
    assert is_late(known, seen(updated_at=at(50)), at(10))
    assert not is_late(known, seen(updated_at=at(50)), at(11))


def test_so_is_one_of_a_stale_replica_until_the_vendors_clock_must_have_been_set_back():
    known = known_after((10, seen(updated_at=at(10))))
    assert is_late(known, seen(updated_at=at(4)), at(12))
    assert not is_late(known, seen(updated_at=at(4)), at(12) + timedelta(minutes=3))
    assert not is_late(known, seen(updated_at=None), at(12))


def test_a_burn_rate_begins_as_the_average_of_the_task():
    looks = [(float(n * 6), seen(step_count=n, total_cost_microusd=n * 3_000)) for n in range(6)]
    assert known_after(*looks).burn_microusd_per_min == pytest.approx(30_000, rel=0.01)


def test_an_idle_browsers_rate_does_not_weigh_on_the_next_task():
    known = known_after(
        (0, seen(status="idle", total_cost_microusd=0)),
        (600, seen(status="running", total_cost_microusd=100)),
        (606, seen(status="running", total_cost_microusd=6_100, step_count=1)),
    )
    assert known.burn_microusd_per_min == pytest.approx(60_000, rel=0.01)
