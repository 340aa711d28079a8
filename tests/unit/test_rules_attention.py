"""Which sessions need a person, and why: what is flagged, and what is not."""

from typing import Any

import pytest

from sessions_app.rules import attention
from sessions_app.rules.attention import Facts, assess
from tests.support.answers import NOON, at

HOUR = 3600


def facts(**given: Any) -> Facts:
    ordinary: dict[str, Any] = {
        "id": 1, "model": "bu-mini", "status": "running", "step_repeats": 1, "total_cost_microusd": 1_000,
        "max_cost_microusd": None, "burn_microusd_per_min": 10_000, "has_live_url": True,
        "first_seen_at": NOON, "status_since": NOON, "progress_at": at(HOUR), "unread_since": None,
    }  # fmt: skip
    return Facts(**(ordinary | given))


def codes(
    given: Facts, medians: dict[str, int] | None = None, standing: Any = (), seconds: float = HOUR
) -> list[str]:
    return [entry["code"] for entry in assess(given, medians or {}, list(standing), at(seconds))]


def test_an_ordinary_session_needs_nobody():
    assert codes(facts()) == []


@pytest.mark.parametrize(
    ("spent", "level"), [(79, None), (80, 80), (94, 80), (95, 95), (100, 100), (130, 100)]
)
def test_near_its_cap(spent, level):
    found = assess(facts(total_cost_microusd=spent, max_cost_microusd=100), {}, [], at(HOUR))
    assert [entry.get("level") for entry in found] == ([level] if level else [])


@pytest.mark.parametrize(("spent", "cap"), [(None, 100), (-5, 100), (50, 0), (50, -1), (50, None)])
def test_amounts_that_say_nothing_flag_nobody(spent, cap):
    assert codes(facts(total_cost_microusd=spent, max_cost_microusd=cap)) == []


def test_a_cap_that_is_spent_outranks_all():
    almost, loop = {"code": "near_cap", "level": 95}, {"code": "burning"}
    assert attention.rank([almost]) > attention.rank([loop]) > attention.rank([]) == 0


def test_stalled_after_two_minutes_but_only_when_we_watched():
    assert codes(facts(progress_at=at(HOUR - 119))) == []
    assert codes(facts(progress_at=at(HOUR - 120))) == ["stalled"]
    assert codes(facts(progress_at=at(HOUR - 120), status="idle", status_since=at(HOUR))) == []
    an_hour_behind = facts(progress_at=NOON, first_seen_at=at(HOUR - 5))
    assert codes(an_hour_behind) == [], "the vendor's clock may be wrong: watch first"


def test_the_same_step_five_times():
    assert codes(facts(step_repeats=4)) == []
    assert codes(facts(step_repeats=5)) == ["repeating"]
    assert codes(facts(step_repeats=5, status="idle", status_since=at(HOUR))) == []


def test_idle_and_paid_for_after_ten_minutes():
    idle = facts(status="idle", status_since=at(HOUR - 600), burn_microusd_per_min=0)
    assert codes(idle) == ["idle_paid"]
    assert codes(idle._replace(has_live_url=False)) == []
    assert codes(idle._replace(status_since=at(HOUR - 599))) == []


def test_far_above_the_median_of_its_model():
    medians = {"bu-mini": 10_000, "": 10_000}
    assert codes(facts(burn_microusd_per_min=49_000), medians) == []
    assert codes(facts(burn_microusd_per_min=50_000), medians) == ["burning"]
    assert codes(facts(burn_microusd_per_min=50_000, status_since=at(HOUR - 10)), medians) == [], "just begun"
    assert codes(facts(burn_microusd_per_min=19_000), {"bu-mini": 1_000}) == [], "too little to matter"
    assert codes(facts(burn_microusd_per_min=90_000), {}) == [], "nobody to compare with"


def test_without_peers_of_its_model_it_must_stand_out_further():
    assert codes(facts(model="gpt-5.5", burn_microusd_per_min=150_000), {"": 10_000}) == []
    assert codes(facts(model="gpt-5.5", burn_microusd_per_min=200_000), {"": 10_000}) == ["burning"]


def test_what_stands_goes_only_when_it_is_clearly_over():
    medians = {"bu-mini": 10_000}
    standing = assess(facts(burn_microusd_per_min=120_000), medians, [], at(HOUR))
    assert standing[0]["times"] == 10
    later = assess(facts(burn_microusd_per_min=40_000), medians, standing, at(HOUR + 60))
    assert later == standing, "the same entry: its since and its highest number"
    assert assess(facts(burn_microusd_per_min=30_000), medians, standing, at(HOUR + 90)) == []


def test_unread_after_half_a_minute():
    assert codes(facts(unread_since=at(HOUR - 29))) == []
    assert codes(facts(unread_since=at(HOUR - 30))) == ["unread"]


@pytest.mark.parametrize("status", ["created", "hibernating"])
def test_an_unknown_status_is_judged_by_its_cap_only(status):
    odd = facts(status=status, progress_at=NOON, step_repeats=99, total_cost_microusd=9, max_cost_microusd=10)
    assert codes(odd, {"bu-mini": 1}) == ["near_cap"]


def test_the_worst_first():
    both = facts(step_repeats=9, total_cost_microusd=85, max_cost_microusd=100)
    assert codes(both) == ["repeating", "near_cap"]


def test_medians_need_three_who_spend():
    burns = [("a", 10), ("a", 30), ("a", 20), ("b", 5), ("b", 0)]
    assert attention.median_burns(burns) == {"a": 20, "": 15}


@pytest.mark.parametrize("stored", [["text"], [{"no": "code"}], [7, None]])
def test_a_strange_stored_entry_breaks_nothing(stored):
    assert codes(facts(), standing=stored) == []
    assert attention.surviving(stored, "running") in ([], [{"no": "code"}])


@pytest.mark.parametrize("code", [*attention.RANKS, "something_new"])
def test_every_reason_has_words(code):
    assert attention.label(code) and attention.words({"code": code})
