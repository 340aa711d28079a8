"""Bulk stops that were asked for: where each of their items stands."""

import zlib
from collections import Counter
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q

from sessions_app.models import BulkItem, BulkStop
from sessions_app.models.stop import OPEN_STATES, StopState
from sessions_app.queries.bulk import FAILED, SHOWN, items_of
from sessions_app.queries.receipt import LOOKS

PROVEN = (StopState.CONFIRMED, StopState.MOOT)
_ORDER = (*FAILED, *OPEN_STATES, "waiting", *PROVEN, "skipped")


class Result(NamedTuple):
    """What became of one item.  `state`: of `StopState`, or "waiting" or "skipped"."""

    item: BulkItem
    state: str
    word: str
    look: str
    icon: str
    seconds: int | None
    steps_after: int | None
    cost_after_microusd: int | None


class Report(NamedTuple):
    """A bulk that was asked for, and where it stands.  The sums are over all its items."""

    bulk: BulkStop
    results: list[Result]
    sessions: int
    proven: int
    failed: int
    skipped: int
    seconds: int | None
    """From the click to the last end; None while there is something to do."""
    burn_microusd_per_min: int
    """What the stopped ones burned together, at the click."""
    cost_after_microusd: int
    mark: str

    @property
    def pending(self) -> int:
        return self.sessions - self.proven - self.failed - self.skipped

    @property
    def hidden(self) -> int:
        return self.sessions - len(self.results)


def report(bulk: BulkStop) -> Report:
    """Where it stands now.  One query."""
    results = sorted((_result(item) for item in items_of(bulk)), key=lambda one: _ORDER.index(one.state))
    states = Counter(one.state for one in results)
    stops = [one.item.stop for one in results if one.item.stop]
    ends = [stop.ended_at for stop in stops if stop.ended_at]
    counts = (
        sum(states[state] for state in PROVEN),
        sum(states[state] for state in FAILED),
        states["skipped"],
    )
    is_over = sum(counts) == len(results)
    return Report(
        bulk,
        results[:SHOWN],
        len(results),
        *counts,
        seconds=_seconds(bulk.asked_at, max(ends, default=bulk.asked_at)) if is_over else None,
        burn_microusd_per_min=sum(stop.burn_at_click_microusd_per_min for stop in stops),
        cost_after_microusd=sum(one.cost_after_microusd or 0 for one in results),
        mark=_mark(results),
    )


class Brief(NamedTuple):
    """One line of the list of bulks."""

    bulk: BulkStop
    sessions: int
    proven: int
    failed: int
    skipped: int

    @property
    def pending(self) -> int:
        return self.sessions - self.proven - self.failed - self.skipped


def newest(most: int = 10) -> list[Brief]:
    """Bulks that were asked for last.  One query."""
    asked = BulkStop.objects.filter(asked_at__isnull=False).order_by("-asked_at", "-pk")
    counted = asked.annotate(
        sessions=Count("items"),
        proven=Count("items", Q(items__stop__state__in=PROVEN)),
        failed=Count("items", Q(items__stop__state__in=FAILED)),
        skipped=Count("items", ~Q(items__skipped="")),
    )
    return [Brief(bulk, bulk.sessions, bulk.proven, bulk.failed, bulk.skipped) for bulk in counted[:most]]


def _result(item: BulkItem) -> Result:
    stop = item.stop
    if stop is None:
        word = f"Skipped: {item.skipped}" if item.skipped else "Waiting for its turn"
        look = ("is-idle", "odd") if item.skipped else ("is-stopping", "stopping")
        return Result(item, "skipped" if item.skipped else "waiting", word, *look, None, None, None)
    steps, cost = stop.steps_at_proof, stop.cost_at_proof_microusd
    return Result(
        item,
        stop.state,
        stop.get_state_display(),
        *LOOKS.get(stop.state, ("is-stopping", "stopping")),
        seconds=_seconds(stop.requested_at, stop.ended_at),
        steps_after=None if steps is None else max(0, steps - stop.steps_at_click),
        cost_after_microusd=_spent(cost, stop.cost_at_click_microusd),
    )


def _spent(at_proof: int | None, at_click: int | None) -> int | None:
    return None if at_proof is None or at_click is None else max(0, at_proof - at_click)


def _seconds(begin: datetime | None, end: datetime | None) -> int | None:
    return None if begin is None or end is None else round((end - begin).total_seconds())


def _mark(results: list[Result]) -> str:
    """Changes with whatever the report shows: a page that has this one needs no other copy."""
    shown = [(one.item.pk, one.state, one.seconds, one.cost_after_microusd) for one in results]
    return f"{zlib.crc32(repr(shown).encode()):08x}"
