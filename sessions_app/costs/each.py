"""What one session costs, a step, a minute; and what was spent after somebody asked for a stop."""

from typing import NamedTuple

from django.db.models import F

from sessions_app.costs.columns import NOT_ENDED, Column
from sessions_app.costs.ledger import Ledger
from sessions_app.costs.question import CostQuestion
from sessions_app.costs.selection import Selection
from sessions_app.models import StopRequest

PLAUSIBLE = 10**12
"""Steps, and micro-dollars of one session: more is no figure to make a mean of, and sums have an end."""


class Each(NamedTuple):
    """Micro-dollars.  `half`: half of the sessions spent no more in the stretch; `ninety`: nine in ten; `most`: none.

    Per step and per minute: of those sessions, over their whole lives, as far as they ended; None where there were no
    steps, or no minutes.
    """

    half: int
    ninety: int
    most: int
    per_step: int | None
    per_minute: int | None


class AfterStops(NamedTuple):
    """Stops asked for in the stretch that were proven since, and what their sessions spent between click and proof."""

    stops: int
    microusd: int


def each(chosen: Selection) -> Each | None:
    """None when no session spent anything."""
    count = chosen.sessions
    if not count:
        return None
    half, ninety, most = chosen.ranked([_rank(count, 50), _rank(count, 90), count])
    return Each(half, ninety, most, *_means(chosen))


def after_stops(ledger: Ledger, asked: CostQuestion) -> AfterStops:
    """Of the sessions that the filters select, which the ledger knows: one query, of stops alone."""
    stops = StopRequest.objects.filter(
        cost_at_proof_microusd__isnull=False, cost_at_click_microusd__isnull=False
    )
    if asked.start is not None:
        stops = stops.filter(requested_at__gte=asked.start)
    if asked.end is not None:
        stops = stops.filter(requested_at__lt=asked.end)
    spent = F("cost_at_proof_microusd") - F("cost_at_click_microusd")
    rows = list(stops.annotate(spent=spent).values_list("session_id", "spent"))
    fits = ledger.let_through([session for session, _ in rows], asked.only)
    costs = [cost for (_, cost), fit in zip(rows, fits, strict=True) if fit]
    return AfterStops(len(costs), sum(cost for cost in costs if cost > 0))


def _rank(count: int, percent: int) -> int:
    """Nearest rank, from 1."""
    return max(1, -(-count * percent // 100))


def _means(chosen: Selection) -> tuple[int | None, int | None]:
    """Cost per step, and per minute."""
    cost, steps, took = (chosen.column(name) for name in ("total", "steps", "took_s"))
    counted = (steps < PLAUSIBLE) & (cost < PLAUSIBLE) & (took != NOT_ENDED)
    return _mean(cost, steps, counted & (steps > 0)), _mean(cost, took, counted & (took > 0), 60)


def _mean(microusd: Column, by: Column, which: Column, times: int = 1) -> int | None:
    divisor = int(by.sum(where=which))
    return round(times * int(microusd.sum(where=which)) / divisor) if divisor else None
