"""A budget of requests that is too small, in words and numbers."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from sessions_app.models import Account
from sessions_app.rules.freshness import TARGET_S, Care

WORDS = {Care.OPENED: "open", Care.RUNNING: "running", Care.RESTING: "idle and starting"}


class Lateness(NamedTuple):
    """How old sessions of a kind get, and how old they should get at most, in seconds."""

    words: str
    age_s: float
    target_s: float


class Shortage(NamedTuple):
    """What an account would need and has, in requests a second (None: not known), and whom that makes how old.

    `paused_until`: the vendor has asked for a pause until then.
    """

    needed_per_s: float | None
    budget_per_s: float | None
    late: tuple[Lateness, ...]
    paused_until: datetime | None

    @property
    def is_felt(self) -> bool:
        """Whether anything gets older than it should by what people notice."""
        return bool(self.paused_until or self.late)

    @property
    def words(self) -> str:
        """For machines and logs, without the pause."""
        if self.needed_per_s is None or self.budget_per_s is None:
            return ""
        ages = ", ".join(
            f"{one.words} every {one.age_s:g} s instead of {one.target_s:g} s" for one in self.late
        )
        have = f"{self.budget_per_s:g} requests a second of the {self.needed_per_s:g} that it takes"
        return f"{have}: {ages}" if ages else have


def shortage_of(account: Account, now: datetime) -> Shortage | None:
    """What the last sweep found; None when the budget does."""
    found = account.shortage or {}
    paused_until = _moment(found.get("paused_until"), now)
    if not paused_until and "needed_per_s" not in found:
        return None
    ages = found.get("ages_s", {})
    return Shortage(found.get("needed_per_s"), found.get("budget_per_s"), tuple(_late(ages)), paused_until)


def _late(ages: dict[str, float]) -> Iterable[Lateness]:
    """In whole seconds: "every 3 s instead of 3 s" tells nobody anything."""
    for care, words in WORDS.items():
        age, target = ages.get(care, 0.0), TARGET_S[care]
        if round(age) > target:
            yield Lateness(words, age, target)


def _moment(seconds: float | None, now: datetime) -> datetime | None:
    """Of a pause that is not over."""
    moment = datetime.fromtimestamp(seconds, UTC) if seconds else None
    return moment if moment and moment > now else None
