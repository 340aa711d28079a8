"""Browsers without an agent: they cost money too, and no session tells of them."""

from typing import TYPE_CHECKING

from .dice import Dice, key_of
from .model import Browser

if TYPE_CHECKING:
    from .world import World

MINUTE = 60_000
LIMIT_MS = 240 * MINUTE
_KEPT = 60


def first(world: "World", now: int) -> list[Browser]:
    """A few, newest first; about two thirds of them alive."""
    browsers = []
    for number in range(max(3, world.size // 20) if world.size else 0):
        dice = Dice(key_of(world.seed, "browser age", number))
        browser = new(world, now - dice.between(3, 170) * MINUTE, number)
        if number % 3 == 2:
            browser.finished_ms = min(now - 1_000, browser.started_ms + dice.between(2, 40) * MINUTE)
        browsers.append(browser)
    return sorted(browsers, key=lambda one: -one.started_ms)


def new(world: "World", started: int, number: int, timeout_ms: int = LIMIT_MS) -> Browser:
    key = key_of(world.seed, "browser", started, number)
    dice = Dice(key)
    return Browser(dice.uuid(), key, started, started + timeout_ms, None, dice.between(0, 700))


def renew(world: "World", at: int) -> None:
    """End what has reached its limit, and start another in its place."""
    expired = [one for one in world.browsers if one.finished_ms is None and one.timeout_ms <= at]
    for number, browser in enumerate(expired):
        browser.finished_ms = browser.timeout_ms
        world.browsers.insert(0, new(world, at, number))
    del world.browsers[max(_KEPT, world.size // 10) :]
