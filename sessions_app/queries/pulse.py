"""The pulse of the floor: how many do what, what it burns, how old the reading is.  Two queries, on every page."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum
from django.template.loader import render_to_string
from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.queries.shortage import Shortage, shortage_of
from sessions_app.rules.freshness import TARGET_S, Care
from sessions_app.types import Sight, Status

STALE_AFTER_S = 15
"""A reading older than this is shown as old: nobody may take it for the present."""
RESTING_MAY_LAG = timedelta(seconds=TARGET_S[Care.RESTING])
FARTHEST = timedelta(days=365)
"""A balance that lasts longer than this "lasts": no date is worth showing."""

MOST_SHOWN = 5
"""Readings in the strip."""

NEVER, OK, STALE, FAILING = "never", "ok", "stale", "failing"
WORST_FIRST = (FAILING, STALE, NEVER, OK)


SLOTS = 12
"""As many as static/css/floor.css has rules for."""


def slot(account_id: int) -> int:
    """What a row has in common with its account's reading, so that the style greys out what is old, and nothing else.

    Two of more than SLOTS accounts may share one: then rows look older than they are, never the other way round.
    """
    return account_id % SLOTS


class Reading(NamedTuple):
    """How reading one account goes.  `state` is ok, stale, failing, or never (the first read is under way)."""

    name: str
    state: str
    read_at: datetime | None
    failing_since: datetime | None
    error: str
    balance_microusd: int | None
    runs_out_at: datetime | None
    slot: int = 0
    shortage: Shortage | None = None
    resting_read_at: datetime | None = None

    @property
    def resting_lags(self) -> bool:
        """Whether what is idle or starting was read so much earlier that it must be said."""
        if not self.read_at or not self.resting_read_at:
            return False
        return self.read_at - self.resting_read_at > RESTING_MAY_LAG


class Pulse(NamedTuple):
    """The numbers of the summary strip.  Money in micro-dollars; `balance_microusd` None when nobody said."""

    running: int
    idle: int
    starting: int
    other: int
    attention: int
    burn_microusd_per_min: int
    balance_microusd: int | None
    runs_out_at: datetime | None
    readings: tuple[Reading, ...]
    paused: tuple[str, ...] = ()
    """Accounts that a person has paused: theirs are on the floor no more, and nobody may take that for "none"."""

    @property
    def live(self) -> int:
        return self.running + self.idle + self.starting + self.other

    @property
    def state(self) -> str:
        """That of the worst account; `never` when there is none."""
        states = {reading.state for reading in self.readings}
        return next((state for state in WORST_FIRST if state in states), NEVER)

    @property
    def read_at(self) -> datetime | None:
        """The oldest of the accounts' last readings: the page is as old as that."""
        return min((reading.read_at for reading in self.readings if reading.read_at), default=None)

    @property
    def worst_first(self) -> list[Reading]:
        """The readings, by name; when there are more than the strip has room for, those that matter come first."""
        if len(self.readings) <= MOST_SHOWN:
            return list(self.readings)
        return sorted(self.readings, key=lambda reading: WORST_FIRST.index(reading.state))

    @property
    def not_shown(self) -> int:
        """How many stand in the page, for the style and the clock, and are not seen."""
        return max(0, len(self.readings) - MOST_SHOWN)

    @property
    def failing(self) -> list[Reading]:
        """More than two are told in one line: their banners would cover the floor."""
        return [reading for reading in self.readings if reading.state == FAILING]

    @property
    def short(self) -> list[Reading]:
        """Those whose budget of requests is too small."""
        return [reading for reading in self.readings if reading.shortage and reading.shortage.is_felt]

    @property
    def broken(self) -> list[Reading]:
        return [reading for reading in self.readings if reading.state in {FAILING, STALE}]


def take(now: datetime | None = None) -> Pulse:
    """The pulse as the database has it."""
    now = now or timezone.now()
    tallies = list(_tallies().all())
    burns: dict[int, int] = {}
    for tally in tallies:
        burns[tally["account"]] = burns.get(tally["account"], 0) + tally["burn"]
    accounts = list(_accounts().all())
    readings = tuple(_reading(one, burns.get(one.pk, 0), now) for one in accounts if one.is_active)
    balances = [r.balance_microusd for r in readings if r.balance_microusd is not None]
    return Pulse(
        running=_sum(tallies, Status.RUNNING),
        idle=_sum(tallies, Status.IDLE),
        starting=_sum(tallies, Status.CREATED),
        other=sum(t["sessions"] for t in tallies if t["status"] not in _COUNTED),
        attention=sum(t["flagged"] for t in tallies),
        burn_microusd_per_min=sum(burns.values()),
        balance_microusd=sum(balances) if balances else None,
        runs_out_at=min((r.runs_out_at for r in readings if r.runs_out_at), default=None),
        readings=readings,
        paused=tuple(one.name for one in accounts if not one.is_active),
    )


@cache
def _accounts() -> QuerySet[Account]:
    """Those that are read, and those that people paused.  A simulator that somebody is done with is no news.

    Put together once: that takes as long as the answer, which is asked for every second.
    """
    paused = Q(is_active=False, paused_at__isnull=False, is_simulator=False)
    wanted = Account.objects.filter(Q(is_active=True) | paused)
    return wanted.order_by("name", "id").only("is_active", *_ACCOUNT_FIELDS)


def render(pulse: Pulse, sight: Sight) -> bytes:
    """templates/_pulse.html, for the page and for the push alike."""
    context = {"pulse": pulse, "sight": sight, "stale_after_s": STALE_AFTER_S}
    return render_to_string("_pulse.html", context).encode()


def rendered(sight: Sight) -> bytes:
    """The summary strip as it is now, for everybody of this `sight`."""
    return render(take(), sight)


_COUNTED = {Status.RUNNING, Status.IDLE, Status.CREATED}
_ACCOUNT_FIELDS = (
    "name", "last_read_at", "resting_read_at", "shortage", "failing_since", "error_kind", "error", "balance_microusd",
    "balance_read_at",
)  # fmt: skip


@cache
def _tallies() -> QuerySet[AgentSession, Any]:
    return (
        AgentSession.objects.filter(is_live=True, account__is_active=True)
        .values("account", "status")
        .annotate(
            sessions=Count("id"),
            flagged=Count("id", filter=Q(attention_rank__gt=0)),
            burn=Sum("burn_microusd_per_min"),
        )
        .order_by()
    )


def _sum(tallies: list[dict], status: str) -> int:
    return sum(t["sessions"] for t in tallies if t["status"] == status)


def _reading(account: Account, burn_microusd_per_min: int, now: datetime) -> Reading:
    return Reading(
        name=account.name,
        state=state_of(account, now),
        read_at=account.last_read_at,
        failing_since=account.failing_since,
        error=account.error,
        balance_microusd=account.balance_microusd,
        runs_out_at=_runs_out_at(account, burn_microusd_per_min, now),
        slot=slot(account.pk),
        shortage=shortage_of(account, now),
        resting_read_at=account.resting_read_at,
    )


def state_of(account: Account, now: datetime) -> str:
    """How reading an active account goes: never, ok, stale or failing.

    To be asked to slow down is no failure while what is shown is current.
    """
    is_old = account.last_read_at is None or now - account.last_read_at > timedelta(seconds=STALE_AFTER_S)
    if account.failing_since and (is_old or account.error_kind != "rate_limited"):
        return FAILING
    if account.last_read_at is None:
        return NEVER
    return STALE if is_old else OK


def _runs_out_at(account: Account, burn_microusd_per_min: int, now: datetime) -> datetime | None:
    """When this account's balance is spent at this pace; None when that is far off or nobody knows."""
    if account.balance_microusd is None or burn_microusd_per_min <= 0:
        return None
    minutes = max(0, account.balance_microusd) / burn_microusd_per_min
    lasts = timedelta(minutes=minutes) if minutes < FARTHEST.total_seconds() / 60 else FARTHEST
    if lasts >= FARTHEST:
        return None
    return max((account.balance_read_at or now) + lasts, now)  # "ran out 7 s ago" is only an old balance
