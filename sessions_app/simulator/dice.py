"""Chance without a generator: every roll is a hash of a key and a counter.

A `random.Random` weighs 2.5 KB and its state cannot be saved in a line; ten thousand sessions would need 25 MB of them.
Here a session keeps two integers, and what it does never depends on what other sessions did or on how often it was read.
"""

import hashlib
import uuid
from collections.abc import Sequence

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix(number: int) -> int:
    """The splitmix64 finaliser: any integer → 64 well-stirred bits."""
    number = (number + _GOLDEN) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def key_of(*parts: object) -> int:
    """A stable 64-bit key for some words and numbers (`hash()` differs between runs)."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(errors="replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


class Dice:
    """A short run of rolls from one key."""

    __slots__ = ("_key", "_turn")

    def __init__(self, key: int, turn: int = 0) -> None:
        self._key = key
        self._turn = turn << 16  # rolls of one turn never meet those of the next

    def bits(self) -> int:
        self._turn += 1
        return mix(self._key ^ (self._turn * _GOLDEN & _MASK))

    def fraction(self) -> float:
        """0 ≤ x < 1."""
        return (self.bits() >> 11) / (1 << 53)

    def between(self, low: int, high: int) -> int:
        """low ≤ x ≤ high."""
        return low + self.bits() % (high - low + 1)

    def chance(self, probability: float) -> bool:
        return self.fraction() < probability

    def pick[T](self, items: Sequence[T]) -> T:
        return items[self.bits() % len(items)]

    def skewed(self, low: int, high: int, power: int = 3) -> int:
        """Mostly near `low`, now and then near `high`."""
        return low + int((high - low) * self.fraction() ** power)

    def uuid(self) -> str:
        """Shaped like a random (version 4) UUID."""
        return str(uuid.UUID(int=self.bits() << 64 | self.bits(), version=4))
