"""What one session costs, a step, a minute; and what was spent after somebody asked for a stop."""

from typing import Any, NamedTuple

from django.db.models import BigIntegerField, F, Func, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from sessions_app.costs.books import bookings, only
from sessions_app.costs.question import CostQuestion
from sessions_app.models import AgentSession, CostHour, StopRequest

PLAUSIBLE = 10**12
"""Steps, and micro-dollars of one session: more is no figure to make a mean of, and SQLite's sums have an end."""


class Seconds(Func):
    """Whole seconds since 1970 of a moment.  SQLite would subtract two moments by calling Python for each row, which
    took five times longer than all the rest of the question."""

    template, output_field = "CAST(EXTRACT(EPOCH FROM %(expressions)s) AS BIGINT)", BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="unixepoch(%(expressions)s)", **context)


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


def each(asked: CostQuestion, sessions: int) -> Each | None:
    """`sessions`: how many spent something.  None when none did.  Two queries."""
    if not sessions:
        return None
    booked = bookings(asked)
    half, ninety, most = _ranked(booked, [_rank(sessions, 50), _rank(sessions, 90), sessions])
    return Each(half, ninety, most, *_means(booked))


def after_stops(asked: CostQuestion) -> AfterStops:
    """Of the sessions that the filters select.  One query."""
    stops = only(StopRequest.objects.filter(cost_at_proof_microusd__isnull=False), asked.only)
    if asked.start is not None:
        stops = stops.filter(requested_at__gte=asked.start)
    if asked.end is not None:
        stops = stops.filter(requested_at__lt=asked.end)
    spent = F("cost_at_proof_microusd") - F("cost_at_click_microusd")
    known = stops.filter(cost_at_click_microusd__isnull=False).annotate(spent=spent)
    costs = [cost for cost in known.values_list("spent", flat=True) if cost > 0]
    return AfterStops(known.count(), sum(costs))


def _rank(count: int, percent: int) -> int:
    """Nearest rank, from 1."""
    return max(1, -(-count * percent // 100))


def _ranked(booked: QuerySet[CostHour], ranks: list[int]) -> list[int]:
    """What the sessions at these places spent, cheapest first."""
    spent = booked.order_by().values("session_id").annotate(total=Sum("total_microusd"))
    numbered = spent.annotate(place=Window(RowNumber(), order_by=[F("total").asc(), F("session_id").asc()]))
    found = dict(numbered.filter(place__in=ranks).values_list("place", "total"))
    return [found[rank] for rank in ranks]


def _means(booked: QuerySet[CostHour]) -> tuple[int | None, int | None]:
    """Cost per step, and per minute."""
    took = Seconds(F("ended_at")) - Seconds(F("created_at"))
    sums = AgentSession.objects.filter(
        pk__in=booked.order_by().values("session_id"),
        step_count__lt=PLAUSIBLE,
        total_cost_microusd__lt=PLAUSIBLE,
        ended_at__isnull=False,
    ).aggregate(
        cost=Sum("total_cost_microusd", filter=Q(step_count__gt=0)),
        steps=Sum("step_count"),
        timed=Sum("total_cost_microusd", filter=Q(ended_at__gt=F("created_at"))),
        took=Sum(took, filter=Q(ended_at__gt=F("created_at"))),
    )
    per_step = round(sums["cost"] / int(sums["steps"])) if sums["steps"] else None
    return per_step, round(60 * sums["timed"] / int(sums["took"])) if sums["took"] else None
