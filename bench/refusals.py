"""What the budget gets out of vendors that refuse: with a limit, by chance, and all of them for a while.

The real script in a real Valkey, against vendors in time of our own; ten requests a second are wanted.
"""

import random
from collections.abc import Iterator
from itertools import count, pairwise

from bench.harness import Row
from sessions_app.live.connection import client
from sessions_app.rules.freshness import Care, outlook
from sessions_app.upstream.budget import Budget
from tests.support.limits import Clock, Limited, Serves, Windowed, asked_against, swept_against

GOAL = "429"
NEED_PER_S, SECONDS, AWAY_S, PAGES = 10, 600, 30, 8
LATER = 1.25
"""Than a vendor without a bucket of its own would let it be."""
_keys = (f"budget:bench-{number}" for number in count())


def rows(database: str) -> Iterator[Row]:
    for limit, holds in ((5, 5), (5, 50), (1, 1)):
        served = _served(Limited(limit, holds).serves) / SECONDS
        yield _row(f"a limit of {limit}/s, bucket of {holds}: served", served, served / limit, 0.85)
    for part in (0.02, 0.05, 0.1):
        chance = random.Random(7)
        served = _served(lambda now, part=part, chance=chance: chance.random() > part) / SECONDS
        yield _row(
            f"{part:.0%} refused by chance, a second's pause each: served", served, served / NEED_PER_S, 0.3
        )
    for number, slides in ((60, False), (60, True), (300, False)):
        yield from _windowed(number, slides=slides)
    yield from _floor(Limited(NEED_PER_S, NEED_PER_S), "10/s, bucket of 10", 2)
    yield from _floor(Limited(NEED_PER_S, NEED_PER_S), "10/s, bucket of 10", 10)
    yield from _floor(Limited(NEED_PER_S, 2), "10/s, bucket of 2", 2)
    yield from _floor(Windowed(NEED_PER_S, 1, slides=True), "10 in any second", 2)
    yield _back()


def _floor(vendor: Limited | Windowed, words: str, opened: int) -> Iterator[Row]:
    """Sweeps of eight pages, and pictures that want twice the whole; once the limit is known.  When there is too little
    for all, the ages are held against what the shortage promises."""
    random.seed(7)
    clock = Clock()
    budget = Budget(client(), next(_keys), clock)
    swept_against(budget, clock, vendor.serves, 120, PAGES, opened, 20)
    found = swept_against(budget, clock, vendor.serves, SECONDS, PAGES, opened, 20)
    promised = outlook({Care.OPENED: opened, Care.RUNNING: PAGES}, NEED_PER_S).ages_s
    for care, ages in ((Care.RUNNING, found.pages), (Care.OPENED, found.opened)):
        old, goal = sorted(ages)[int(len(ages) * 0.99)], LATER * promised[care]
        what = f"{words}, {PAGES} pages, {opened} open, pictures: {care}, p99"
        yield Row(GOAL, what, f"{old:.1f} s", old / promised[care], f"≤ {goal:.1f} s", old <= goal)


def _windowed(number: int, *, slides: bool) -> Iterator[Row]:
    """So many a minute, and the longest time without one: from the fourth minute on, when it has learned."""
    random.seed(7)
    clock, vendor = Clock(), Windowed(number, 60, slides=slides)
    budget = Budget(client(), next(_keys), clock)
    asked_against(budget, clock, vendor.serves, 240, NEED_PER_S / 10, vendor.retry_after)
    moments = asked_against(budget, clock, vendor.serves, SECONDS, NEED_PER_S / 10, vendor.retry_after)
    served, blind = len(moments) / SECONDS, max(after - before for before, after in pairwise(moments))
    what = f"{number} in {'any' if slides else 'each'} minute: served"
    yield _row(what, served, served / (number / 60), 0.85)
    yield Row(GOAL, f"{what}, longest gap", f"{blind:.0f} s", blind / 60, "≤ 0.25× a minute", blind <= 15)


def _served(serves: Serves) -> int:
    random.seed(7)  # the jitter
    clock = Clock()
    return len(asked_against(Budget(client(), next(_keys), clock), clock, serves, SECONDS, NEED_PER_S / 10))


def _back() -> Row:
    """Everybody is refused for half a minute, with Retry-After: 10."""
    random.seed(7)
    clock, away = Clock(), [False]
    budget = Budget(client(), next(_keys), clock)

    def ask(seconds: float) -> float:
        return len(asked_against(budget, clock, lambda now: not away[0], seconds, 1, 10)) / seconds

    ask(60)
    away[0] = True
    ask(AWAY_S)
    away[0] = False
    ask(15)
    rate = ask(60)
    return _row(f"15 s after everybody was refused for {AWAY_S} s: served", rate, rate / NEED_PER_S, 0.5)


def _row(what: str, per_s: float, ratio: float, least: float) -> Row:
    return Row(GOAL, what, f"{per_s:.2f} requests/s", ratio, f"≥ {least:g}×", ratio >= least)
