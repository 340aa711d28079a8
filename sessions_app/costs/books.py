"""The books: what every figure about money is added up from, and the proof that they are right."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from sessions_app.costs.outcome import OTHER, looks_of
from sessions_app.costs.question import FACETS, NONE, OUTCOME, UUID_FACETS, CostQuestion
from sessions_app.costs.spend import Spend
from sessions_app.models import AgentSession, CostHour
from sessions_app.types import KNOWN_STATUSES

SUMS: dict[str, Any] = {
    "llm": Coalesce(Sum("llm_microusd"), 0),
    "proxy": Coalesce(Sum("proxy_microusd"), 0),
    "browser": Coalesce(Sum("browser_microusd"), 0),
    "total": Coalesce(Sum("total_microusd"), 0),
    "idle": Coalesce(Sum("idle_microusd"), 0),
}


class Disagreement(NamedTuple):
    """Books and sessions that differ, in micro-dollars.  `session` is the first that does, where one was looked for."""

    booked: int
    known: int
    session: AgentSession | None = None


def bookings(asked: CostQuestion) -> QuerySet[CostHour]:
    """The bookings that the question selects."""
    return _within(asked.first_hour, asked.end_hour, asked.only)


def spent(first_hour: int | None, end_hour: int | None, filters: Iterable[tuple[str, str]]) -> int:
    """Micro-dollars, as the ledger's `spent`, for whoever has no ledger open."""
    return _within(first_hour, end_hour, filters).aggregate(sum=Sum("total_microusd"))["sum"] or 0


def spends_of(booked: QuerySet[CostHour]) -> dict[int, Spend]:
    """What each session spent in these bookings."""
    rows = booked.order_by().values("session_id").annotate(**SUMS)
    return {row["session_id"]: Spend.of(row) for row in rows}


def _within(
    first_hour: int | None, end_hour: int | None, filters: Iterable[tuple[str, str]]
) -> QuerySet[CostHour]:
    chosen = Q()
    if first_hour is not None:
        chosen &= Q(hour__gte=first_hour)
    if end_hour is not None:
        chosen &= Q(hour__lt=end_hour)
    for facet, value in filters:
        chosen &= _is(facet, value)
    return CostHour.objects.filter(chosen)


def _is(facet: str, value: str) -> Q:
    if facet == OUTCOME:
        return _came_to(value)
    column = FACETS[facet]
    if value != NONE:
        return Q(**{column: value})
    return Q(**{f"{column}__isnull": True}) if facet in UUID_FACETS else Q(**{column: ""})


def _came_to(outcome: str) -> Q:
    """Sessions of one outcome, by what `outcome_of` makes of them."""
    if outcome == OTHER.key:
        return ~Q(session__status__in=KNOWN_STATUSES)
    looks = (
        Q(session__status=status, session__is_task_successful=successful, session__is_live=is_live)
        for status, successful, is_live in looks_of(outcome)
    )
    return reduce(or_, looks)


def disagreement() -> Disagreement | None:
    """Whether the sum of all bookings is the sum of all sessions' last totals; None when it is.  One query."""
    booked = _single(CostHour.objects).annotate(sum=Sum("total_microusd")).values("sum")
    row = (
        _single(AgentSession.objects)
        .annotate(known=Coalesce(Sum("total_cost_microusd"), 0), booked=Coalesce(Subquery(booked), 0))
        .first()
    )
    if row is None or row["known"] == row["booked"]:
        return None
    return Disagreement(row["booked"], row["known"])


def first_disagreement() -> Disagreement | None:
    """The first session whose bookings do not add up to its last total; None when all do.  Reads everything."""
    hours = CostHour.objects.filter(session=OuterRef("pk")).order_by().values("session")
    booked = Coalesce(Subquery(hours.annotate(sum=Sum("total_microusd")).values("sum")), 0)
    known = Coalesce(F("total_cost_microusd"), 0)
    wrong = AgentSession.objects.annotate(booked=booked, known=known).exclude(booked=F("known"))
    session = wrong.order_by("pk").first()
    return None if session is None else Disagreement(session.booked, session.known, session)


def _single(objects: Any) -> Any:
    """A query that groups everything into one row."""
    return objects.order_by().values(one=Value(1))
