"""Goal 9: how many requests a steady sweep costs, against the pages that hold live sessions.

The world is simulated in memory: M sessions, N of them live, some born and some ended between two sweeps.  The planner
(`rules.pages`) and the memory of places (`polling.places`) are the real ones, over real `SessionPage`s; no HTTP and no
database, which do not change what is asked for.
"""

import random
from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil, exp
from statistics import mean
from typing import NamedTuple
from uuid import UUID

from bench.harness import Row
from sessions_app.polling import newcomers
from sessions_app.polling.places import Memory
from sessions_app.rules.pages import PAGE_SIZE, extent, plan
from sessions_app.upstream.pages import Item, SessionPage

WORLDS = ((10, 1_000), (100, 10_000), (1_000, 100_000), (1_000, 1_000_000), (10_000, 1_000_000))
"""Live, and listed."""
ORDERS = ("newest first", "oldest first", "random")
WARM, SWEEPS = 2, 8
"""The first ones learn where the list shows new sessions."""
LIVES_SWEEPS = 150
"""A session lives so many sweeps in the mean: five minutes at one in two seconds."""
EVERY_S = 2.0
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ENDED = Item(UUID(int=0), 0, b"")


class World:
    """Sessions by number, in the order of their birth; the list shows them in the order of `key`."""

    def __init__(self, live: int, listed: int, order: str, dice: random.Random) -> None:
        self.order, self.dice = order, dice
        self.born = listed
        self.listed = sorted((self._key(number), number) for number in range(listed))
        ages = range(min(listed, 20 * live))
        chosen = {age for age in ages if dice.random() < exp(-age / live)}
        self.live = {listed - 1 - age: UUID(int=listed - age) for age in chosen}

    def _key(self, number: int) -> int:
        if self.order == "random":
            return number * 0x9E3779B97F4A7C15 % 2**64
        return -number if self.order == "newest first" else number

    def pass_time(self) -> None:
        """Until the next sweep: as many are born as end, on the average."""
        moving = int(len(self.live) / LIVES_SWEEPS + self.dice.random())
        for number in self.dice.sample(sorted(self.live), min(moving, len(self.live) - 1)):
            del self.live[number]
        for _ in range(moving):
            insort(self.listed, (self._key(self.born), self.born))
            self.live[self.born] = UUID(int=self.born + 1)
            self.born += 1

    def page(self, number: int) -> SessionPage:
        shown = self.listed[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        items = [Item(self.live[one], 0, b"") if one in self.live else ENDED for _, one in shown]
        return SessionPage(NOW, number, len(self.listed), tuple(items), ())

    def pages_with_live(self) -> set[int]:
        ranks = (bisect_left(self.listed, (self._key(number), number)) for number in self.live)
        return {rank // PAGE_SIZE + 1 for rank in ranks}

    @property
    def pages(self) -> int:
        return ceil(len(self.listed) / PAGE_SIZE)


class Cost(NamedTuple):
    """Of one sweep.  `needed`: page 1 and the pages that hold live sessions."""

    requests: int
    needed: int
    listed: int
    unseen: int


class Reader:
    """Knows what a poller knows: the live sessions that it has seen, their places, and how long the list was."""

    def __init__(self, world: World) -> None:
        self.world, self.memory = world, Memory({})
        self.total, self.now_s = len(world.listed), 1_000_000.0
        self.known: set[UUID] = set()
        for number in sorted(
            world.pages_with_live()
        ):  # a reading of all pages; the others have nothing to say
            self._take(world.page(number), extent(self.total, PAGE_SIZE))

    def sweep(self) -> Cost:
        world = self.world
        self.now_s += EVERY_S
        pages = [world.page(1)]
        length = extent(pages[0].total, len(pages[0].items))
        new, seen = self._take(pages[0], length)
        added = max(0, (length.total or 0) - self.total)
        self.total = length.total or 0
        self.memory.learn(pages, new, added, length)
        wanted = self.known & set(world.live.values()) - seen
        expected = newcomers.expected(self.memory, added, self.now_s)
        todo = plan(wanted, self.memory.places, length, added=expected, new_at=self.memory.new_at)
        for number in todo.pages:
            pages.append(world.page(number))
            more, shown = self._take(pages[-1], length)
            new, seen = new | more, seen | shown
        self.memory.learn(pages, new, added, length)
        alone = wanted - seen
        requests = 1 + len(todo.pages) + len(alone)
        if newcomers.is_time_to_look(self.memory, added - len(new), self.now_s):
            found = set(list(set(world.live.values()) - seen - alone)[: newcomers.MOST])
            alone |= found
            requests += ceil(len(world.live) / PAGE_SIZE) + len(found)
        self.known = seen | alone
        unseen = len(set(world.live.values()) - self.known)
        return Cost(requests, len(world.pages_with_live() | {1}), world.pages, unseen)

    def _take(self, page: SessionPage, length) -> tuple[set[UUID], set[UUID]]:
        """New ones, and all live ones of a page."""
        seen = {item.uuid for item in page.items} - {ENDED.uuid}
        new = seen - self.known
        self.known |= seen
        self.memory.note(page, length, seen)
        return new, seen


def rows(database: str) -> Iterator[Row]:
    for order in ORDERS:
        for live, listed in WORLDS:
            yield _row(order, live, listed)


def _row(order: str, live: int, listed: int) -> Row:
    world = World(live, listed, order, random.Random(live + listed))
    reader = Reader(world)
    costs = []
    for _ in range(WARM + SWEEPS):
        world.pass_time()
        costs.append(reader.sweep())
    costs = costs[WARM:]
    requests, needed = mean(cost.requests for cost in costs), mean(cost.needed for cost in costs)
    ratio = requests / needed
    never_above = all(cost.requests <= cost.listed for cost in costs)
    what = f"requests per sweep, {order}, {live:,} live of {listed:,}, pages with live ones {needed:,.0f}"
    unseen = max(cost.unseen for cost in costs)
    number = f"{requests:,.1f} requests" + (f", {unseen} new not found yet" if unseen else "")
    return Row(9, what, number, ratio, "≤ 1.15×", ratio <= 1.15 and never_above)
