"""A month of observations, always the same one, and what it comes to by an arithmetic of its own.

Nothing here knows the product's code: replies are JSON as the vendor writes it, and sums are made from them by the
rules that the documentation states.  March 2026 in Berlin has 31 days, one of them of 23 hours.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.replies import page, raw_session

ZONE = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
BEGIN, END = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
SESSIONS, LOOKS, ACCOUNTS = 90, 9, 3
MODELS = ("claude-opus-4.6", "gpt-x", "bu-mini", "gemini-3")
COUNTRIES = ("us", "de", None)
PROFILES = (None, *(f"11111111-1111-4111-8111-{number:012d}" for number in range(4)))
WORKSPACES = (None, *(f"22222222-2222-4222-8222-{number:012d}" for number in range(2)))
ENDS = (
    ("stopped", True),
    ("stopped", False),
    ("stopped", None),
    ("timed_out", None),
    ("error", None),
    ("idle", True),
)
KINDS = ("llm", "proxy", "browser", "total")


class Look(NamedTuple):
    """One answer of the vendor's about one session: when we asked, and micro-dollars (None: null)."""

    session: int
    read_at: datetime
    updated_at: datetime
    status: str
    successful: bool | None
    costs: tuple[int | None, ...]


class Facts(NamedTuple):
    """What of a session never changes."""

    uuid: str
    account: int
    created_at: datetime
    model: str
    country: str | None
    profile: str | None
    workspace: str | None


def month(seed: int = 2026) -> tuple[list[Facts], list[Look]]:
    """The sessions, and the looks in the order in which they come in: some late, some twice."""
    dice = random.Random(seed)
    facts, looks = [], []
    for number in range(SESSIONS):
        born = BEGIN + timedelta(seconds=dice.randrange(int((END - BEGIN).total_seconds()) - 30_000))
        facts.append(
            Facts(
                f"33333333-3333-4333-8333-{number:012d}",
                dice.randrange(ACCOUNTS),
                born,
                dice.choice(MODELS),
                dice.choice(COUNTRIES),
                dice.choice(PROFILES),
                dice.choice(WORKSPACES),
            )
        )
        looks += _life(dice, number, born)
    looks.sort(key=lambda look: look.read_at)
    for _ in range(SESSIONS):
        place = dice.randrange(len(looks) - 40)
        looks.insert(place + dice.randrange(1, 40), looks[place])  # the same answer once more, later
    return facts, looks


def _life(dice: random.Random, number: int, born: datetime) -> list[Look]:
    at, costs = born + timedelta(minutes=dice.randrange(1, 300)), [0, 0, 0]
    end, looks = dice.choice(ENDS), []
    for turn in range(LOOKS):
        is_last = turn == LOOKS - 1
        costs = [max(0, cost + dice.randrange(-9, 900_000) * (dice.random() < 0.7)) for cost in costs]
        total = sum(costs) + dice.randrange(0, 50)
        if dice.random() < 0.06:
            total //= 2  # a running total that falls
        told: list[int | None] = [*costs, total]
        if dice.random() < 0.1 and turn:
            told[dice.randrange(4)] = None
        status, successful = end if is_last else ("running", None)
        updated = at - timedelta(seconds=dice.randrange(1, 9_000)) if turn == 0 else at - timedelta(seconds=1)
        looks.append(Look(number, at, updated, status, successful, tuple(told)))
        at += timedelta(seconds=dice.choice((2, 40, 1_900, 14_000)))
    return looks


def reply(facts: Facts, look: Look) -> bytes:
    """A page of the list with just this session."""
    names = ("llmCostUsd", "proxyCostUsd", "browserCostUsd", "totalCostUsd")
    usd = {
        name: None if cost is None else f"{cost // 10**6}.{cost % 10**6:06d}"
        for name, cost in zip(names, look.costs, strict=True)
    }
    fields: dict[str, Any] = {
        "id": facts.uuid,
        "status": look.status,
        "isTaskSuccessful": look.successful,
        "model": facts.model,
        "title": f"Errand {facts.uuid[-3:]}",
        "profileId": facts.profile,
        "workspaceId": facts.workspace,
        "proxyCountryCode": facts.country,
        "createdAt": facts.created_at.isoformat().replace("+00:00", "Z"),
        "updatedAt": look.updated_at.isoformat().replace("+00:00", "Z"),
        "stepCount": 3,
    }
    return page(raw_session(**fields | usd), total=b"1")


# ---- the arithmetic ------------------------------------------------------------------------------------


class Booking(NamedTuple):
    session: int
    hour: int
    costs: tuple[int, ...]


def bookings(facts: list[Facts], looks: list[Look]) -> list[Booking]:
    """Each rise of each total, in the hour in which it was seen; what was spent before the first look in the hour of
    `updatedAt`.  An answer that is older than one we had already says nothing."""
    latest: dict[int, datetime] = {}
    known: dict[int, list[int]] = {}
    found = []
    for look in looks:
        if look.session in latest and look.read_at <= latest[look.session]:
            continue
        is_first = look.session not in latest
        latest[look.session] = look.read_at
        before = known.setdefault(look.session, [0, 0, 0, 0])
        rises = tuple(0 if cost is None else cost - was for cost, was in zip(look.costs, before, strict=True))
        known[look.session] = [was + rise for was, rise in zip(before, rises, strict=True)]
        when = max(look.updated_at, facts[look.session].created_at) if is_first else look.read_at
        found.append(Booking(look.session, int(when.timestamp()) // 3600, rises))
    return found


def day_of(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3600, ZONE).date()


def within(books: list[Booking], first: date = FIRST, last: date = LAST) -> list[Booking]:
    return [one for one in books if first <= day_of(one.hour) <= last and any(one.costs)]


def total_by(books: list[Booking], key: Any) -> dict[Any, int]:
    sums: Counter[Any] = Counter()
    for one in books:
        sums[key(one)] += one.costs[3]
    return dict(sums)


def outcome(looks: list[Look], session: int) -> str:
    """By the last answer."""
    last = max((look for look in looks if look.session == session), key=lambda look: look.read_at)
    if last.successful is not None:
        return "succeeded" if last.successful else "failed"
    return last.status
