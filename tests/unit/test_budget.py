"""The budget of one account: shared, learned from 429, and fair by purpose.  Against a real Valkey, with a clock of ours."""

import random
import threading
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.upstream import budget as module
from sessions_app.upstream.budget import RANKS, Budget
from sessions_app.upstream.errors import RateLimited
from sessions_app.upstream.meter import Metered
from sessions_app.upstream.standing import standing
from tests.support.limits import Clock, Foretold, Limited, Windowed, asked_against, swept_against

_keys = (f"budget:test-{number}" for number in count())
BELOW_STOP = [purpose for purpose in RANKS if purpose != "stop"]


class Stage:
    def __init__(self, client) -> None:
        self.client, self.key, self.clock = client, next(_keys), Clock()
        self.budget = Budget(client, self.key, self.clock)

    @property
    def rate(self) -> float:
        return standing(self.client, self.key).rate_per_s

    def demand(self, seconds: float, purpose: str = "live", step: float = 0.1, each: int = 50) -> int:
        """Somebody who always wants more.  Returns what was granted."""
        granted = 0
        for _ in range(round(seconds / step)):
            self.clock.now += step
            granted += self.budget.take(each, purpose).granted
        return granted


@pytest.fixture
def stage(valkey) -> Stage:
    random.seed(7)  # the jitter
    return Stage(valkey)


def test_it_begins_generous_and_doubles_while_more_is_needed(stage):
    assert stage.budget.take(30, "live").granted == 30
    assert stage.demand(5) > 400
    assert stage.rate > 300


def test_it_does_not_grow_while_nobody_needs_more(stage):
    for _ in range(50):
        stage.clock.now += 1
        assert stage.budget.take(5, "live").granted == 5
    assert stage.rate == 20


def test_a_429_lowers_it_by_a_third_or_more_and_a_burst_of_them_counts_once(stage):
    stage.demand(1)
    before = stage.rate
    for _ in range(4):
        stage.budget.refused(None)
    assert before / 6 <= stage.rate <= before * 0.85
    assert standing(stage.client, stage.key).limited == 1


@pytest.mark.parametrize("seconds", [1, 7, 300])
def test_retry_after_holds_everybody_but_a_stop(stage, seconds):
    stage.budget.refused(seconds)
    stage.clock.now += seconds - 0.1
    for purpose in BELOW_STOP:
        grant = stage.budget.take(1, purpose)
        assert grant.granted == 0 and 0 < grant.wait_s <= seconds * 0.1 + 0.2
    assert Metered(stage.budget, "stop").admit(3) == 3
    stage.clock.now += seconds * 0.1 + 2
    assert stage.budget.take(1, "live").granted == 1


def test_without_retry_after_the_pause_doubles_up_to_a_minute(stage):
    pauses = []
    for _ in range(10):
        stage.budget.refused(None)
        pauses.append(stage.budget.take(1, "live").wait_s)
        stage.clock.now += pauses[-1] + 1.1
    assert 0.5 <= pauses[0] <= 1.2 and 55 <= pauses[-1] <= 66.1
    assert all(later > earlier * 1.5 for earlier, later in pairwise(pauses[:6]))


def test_after_a_pause_there_is_no_burst(stage):
    stage.demand(2)
    stage.budget.refused(5)
    stage.clock.now += 5.6
    assert stage.budget.take(50, "live").granted <= 2 + stage.rate


def test_it_climbs_again_and_only_creeps_near_the_rate_that_was_refused(stage):
    stage.demand(1)
    stage.budget.refused(1)
    stage.clock.now += 5
    low, ceiling = stage.rate, standing(stage.client, stage.key).ceiling_per_s
    stage.demand(4)
    assert low + 1 < stage.rate
    stage.demand(60)
    assert 0.84 * ceiling < stage.rate < ceiling


def test_a_limit_that_is_gone_is_forgotten_and_the_rate_found_anew(stage):
    """Two a second for a minute, then no limit: ten minutes later the belief is over, five more and all is as needed."""
    against(stage, Limited(2, 2).serves, 60)
    assert stage.rate < 2.5
    against(stage, lambda _now: True, 900)
    assert against(stage, lambda _now: True, 60, need=4) >= 0.95 * 40 * 60


def against(stage, serves, seconds: float, need: float = 8, retry_after: Foretold = 1) -> int:
    return len(asked_against(stage.budget, stage.clock, serves, seconds, need, retry_after))


@pytest.mark.parametrize("limit", [2.0, 10.0])
def test_against_a_limited_vendor_it_settles_just_below_the_limit(stage, limit):
    """Over ten minutes of need, most of what it gives is used."""
    assert against(stage, Limited(limit, limit).serves, 600) >= 0.85 * limit * 600
    assert standing(stage.client, stage.key).limited <= 10, "each time everybody waits"


@pytest.mark.parametrize("pages", [3, 8])
def test_pictures_do_not_try_where_the_limit_is(stage, pages):
    """They want more than there is, always: what runs must not be old for it each time the vendor says so."""
    serves = Limited(10, 10).serves
    swept_against(stage.budget, stage.clock, serves, 60, pages, 2, 20)
    learned = standing(stage.client, stage.key).limited
    ages = swept_against(stage.budget, stage.clock, serves, 600, pages, 2, 20)
    assert standing(stage.client, stage.key).limited == learned and max(ages.pages) < 4
    assert ages.pictures > 0.9 * RANKS["pictures"].share * stage.rate * 600, (
        "they have their share all the same"
    )


def test_sweeps_that_wait_only_for_a_moment_do_not_try_either(stage):
    """Sixteen pages at once are more than a second's worth, and less than the limit over time."""
    serves = Limited(10, 10).serves
    against(stage, serves, 60)
    learned, rate = standing(stage.client, stage.key).limited, stage.rate
    swept_against(stage.budget, stage.clock, serves, 500, 7, 2, 0)
    assert standing(stage.client, stage.key).limited == learned and rate - 0.1 < stage.rate < rate + 0.1


def test_sessions_that_are_open_do_not_starve_the_sweeps(stage):
    """Fourteen requests a second for ten of them are more than there is, and each is older for it; but so is what runs."""
    serves = Limited(10, 10).serves
    swept_against(stage.budget, stage.clock, serves, 60, 8, 10, 0)
    ages = swept_against(stage.budget, stage.clock, serves, 300, 8, 10, 0)
    assert late(ages.pages) < 8 and late(ages.opened) < 2.5


@pytest.mark.parametrize(
    ("vendor", "pages_s", "open_s"),
    [(Limited(10, 2), 5, 1.2), (Limited(10, 1), 25, 3), (Windowed(5, 1, slides=True), 13, 2)],
    ids=["a small bucket", "no bucket", "a window of a second"],
)
def test_who_counts_in_less_than_a_second_is_asked_more_evenly(stage, vendor, pages_s, open_s):
    """Of a full second's worth at once such a vendor refuses a part, though it bears nearly as much by the minute."""
    swept_against(stage.budget, stage.clock, vendor.serves, 120, 8, 2, 20)
    ages = swept_against(stage.budget, stage.clock, vendor.serves, 600, 8, 2, 20)
    assert late(ages.pages) < pages_s and late(ages.opened) < open_s


def late(ages: list[float]) -> float:
    return sorted(ages)[int(len(ages) * 0.99)]


@pytest.mark.parametrize(("limit", "holds"), [(0.5, 1), (1, 100), (10, 100)])
def test_a_small_limit_below_a_large_bucket_is_not_taken_for_chance(stage, limit, holds):
    vendor = Limited(limit, holds)
    against(stage, vendor.serves, 300)
    before = standing(stage.client, stage.key).limited
    assert against(stage, vendor.serves, 300) >= 0.7 * limit * 300
    assert standing(stage.client, stage.key).limited - before <= 25


@pytest.mark.parametrize("retry_after", [10, 1, None])
def test_a_vendor_that_refuses_everybody_for_a_while_is_asked_as_before_when_it_is_back(stage, retry_after):
    against(stage, lambda now: True, 20, need=1)
    against(stage, lambda now: False, 30, need=1, retry_after=retry_after)
    against(stage, lambda now: True, 20, need=1)
    assert against(stage, lambda now: True, 30, need=1) >= 0.5 * 300, "ten a second were wanted"


@pytest.mark.parametrize("part", [0.02, 0.05, 0.1])
def test_refusals_by_chance_do_not_make_it_ask_ever_less(stage, part):
    """A rate that is lowered for each of them would end at its least: one request in five seconds."""
    chance = random.Random(7)
    served = against(stage, lambda now: chance.random() > part, 300, need=1)
    assert served >= 0.3 * 3000, "ten a second were wanted, and each refusal is a second's pause"


@pytest.mark.parametrize(
    ("number", "seconds", "slides", "foretold", "least"),
    [
        (60, 60, False, True, 0.85),
        (60, 60, True, True, 0.85),
        (300, 60, False, True, 0.85),
        (30, 10, False, True, 0.85),
        (60, 60, True, False, 0.7),
        (300, 60, True, False, 0.85),
    ],
)
def test_so_many_a_minute_are_asked_for_evenly(stage, number, seconds, slides, foretold, least):
    """All of them in the first seconds would leave the floor blind for the rest of each minute."""
    vendor = Windowed(number, seconds, slides=slides)
    retry_after = vendor.retry_after if foretold else None
    against(stage, vendor.serves, 240, need=0.7, retry_after=retry_after)
    moments = asked_against(stage.budget, stage.clock, vendor.serves, 480, 0.7, retry_after)
    assert len(moments) >= least * number / seconds * 480
    gaps = [after - before for before, after in pairwise(moments)]
    assert sum(gap > 8 for gap in gaps) <= 1, "once, where it tried for more"


@pytest.mark.parametrize("part", [0.02, 0.05])
def test_long_pauses_by_chance_are_not_taken_for_a_window_for_long(stage, part):
    """Two runs that are alike by chance make it believe so; that it is refused soon all the same ends that."""
    chance = random.Random(7)
    served = against(stage, lambda now: chance.random() > part, 900, need=0.7, retry_after=10)
    assert served >= 0.3 * 900


def test_who_were_asked_at_the_same_moment_tell_no_more_than_the_first(stage):
    vendor = Windowed(60, 60)
    against(stage, vendor.serves, 200, need=0.7, retry_after=vendor.retry_after)
    before = stage.rate
    stage.budget.accepted()
    stage.budget.accepted()
    assert stage.rate == before


def test_what_somebody_has_open_borrows_when_a_sweep_took_all(stage):
    stage.demand(1)
    stage.budget.refused(1)
    stage.clock.now += 1.2
    stage.budget.take(500, "live")
    assert stage.budget.take(1, "live").granted == 0
    assert stage.budget.take(2, "watched").granted == 2
    assert stage.budget.take(500, "watched").granted < stage.rate, "and not without end"


def test_who_stands_higher_goes_first_and_who_stands_lower_is_not_starved(stage):
    stage.budget.refused(1)
    stage.clock.now += 2
    granted = dict.fromkeys(("watched", "live", "reconcile", "messages"), 0)
    for turn in range(600):
        stage.clock.now += 0.1
        missing = turn // 10 + 1 - granted["watched"]  # one a second, asked for again until it is there
        for purpose in granted:
            wanted = missing if purpose == "watched" else 5
            granted[purpose] += stage.budget.take(wanted, purpose).granted
    everything = sum(granted.values())
    assert granted["watched"] >= 55
    assert granted["live"] > 0.6 * (everything - granted["watched"])
    assert granted["reconcile"] >= 0.05 * everything
    assert granted["messages"] >= 0.02 * everything


def test_what_a_stop_takes_the_others_have_less(stage):
    stage.budget.refused(1)
    stage.clock.now += 3
    stage.budget.spend(30, "stop")
    assert stage.budget.take(1, "watched").granted == 0
    assert standing(stage.client, stage.key).sent["stop"] == 30


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(BELOW_STOP),
            st.integers(0, 30),
            st.floats(0, 3),
            st.sampled_from([None, 1, 300, 0]),
        ),
        max_size=60,
    )
)
def test_never_more_than_rate_times_time_plus_the_burst(valkey, steps):
    stage = Stage(valkey)
    stage.budget.refused(1)
    stage.clock.now += 1.2
    allowed, granted = 0.0, 0
    for purpose, wanted, pause, refusal in steps:
        stage.clock.now += pause
        grant = stage.budget.take(wanted, purpose)
        assert 0 <= grant.granted <= wanted and grant.wait_s >= 0
        granted += grant.granted
        allowed += stage.rate * pause
        if refusal != 0:
            stage.budget.refused(refusal)
    assert granted <= allowed + 20 + 2
    assert 0.2 <= stage.rate <= 500


def test_threads_share_one_bucket(valkey):
    stage = Stage(valkey)
    stage.budget.refused(1)
    stage.clock.now += 1000
    allowed = stage.rate - RANKS["watched"].reserve * (stage.rate - 1)
    granted: list[int] = []
    start = threading.Barrier(8)

    def work() -> None:
        mine = Budget(valkey, stage.key, stage.clock)
        start.wait(10)
        granted.extend(mine.take(1, "watched").granted for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(granted) == int(allowed + 1e-6)  # Redis hands the rate back in decimals


def test_what_vendors_say_reaches_the_budget(stage):
    meter = Metered(stage.budget, "live")
    assert meter.admit(2) == 2
    meter.heard([None, RateLimited("", retry_after_s=9), RateLimited("", retry_after_s=None)], repeats=1)
    told = standing(stage.client, stage.key)
    assert told.sent["live"] == 3 and told.limited == 1
    assert stage.budget.take(1, "live").wait_s > 8


def test_without_redis_it_goes_on_by_guess_and_slowly(unreachable):
    lonely = Budget(unreachable, "budget:lonely")
    assert 1 <= lonely.take(100, "live").granted <= 6
    assert lonely.take(100, "live").granted == 0
    assert Metered(lonely, "stop").admit(1) == 1
    lonely.refused(30)
    assert lonely.take(1, "watched").wait_s > 25


@pytest.fixture
def unreachable():
    return module.redis.Redis(host="127.0.0.1", port=9, socket_connect_timeout=0.2)


@pytest.mark.parametrize("purpose", ["woken", "settle"])
def test_while_sweeps_go_short_what_may_wait_lives_on_its_share(stage, purpose):
    stage.demand(1)
    stage.budget.refused(1)
    stage.clock.now += 60
    assert stage.budget.take(500, "live").granted > 0
    granted = 0
    for _ in range(30):  # the bucket fills, and the next sweep will need it
        stage.clock.now += 0.1
        granted += stage.budget.take(5, purpose).granted
    assert granted <= 1 + RANKS[purpose].share * stage.rate * 3 + 1
    stage.clock.now += 2
    assert stage.budget.take(5, purpose).granted > 1, "nobody goes short any more"
