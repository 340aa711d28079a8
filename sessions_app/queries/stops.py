"""The stop record: every stop asked for, as a receipt and as a list."""

from collections.abc import Mapping
from datetime import datetime
from statistics import median
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils.dateparse import parse_datetime

from sessions_app.models import AgentSession, StopAttempt, StopRequest
from sessions_app.models.stop import OPEN_STATES, StopState
from sessions_app.queries.receipt import Receipt, receipt_of
from sessions_app.types import Strategy

PAGE = 50
MEDIAN_OF = 1_000
AVOIDED_MINUTES = 60
_NO_CAP = 10**15
_SPENT_AFTER = Greatest(F("cost_at_proof_microusd") - F("cost_at_click_microusd"), 0)
_AVOIDED = Least(
    F("burn_at_click_microusd_per_min") * AVOIDED_MINUTES,
    Greatest(Coalesce(F("session__max_cost_microusd") - F("cost_at_proof_microusd"), _NO_CAP), 0),
)
OPEN, STATE_CHOICES = "open", [("open", "Under way"), *StopState.choices]


class StopFilter(NamedTuple):
    """What the address bar asks for; unknown words ask for nothing in particular."""

    state: str = ""
    person: str = ""
    strategy: str = ""
    reason: str = ""
    before: tuple[datetime, int] | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "StopFilter":
        state, strategy = query.get("state", ""), query.get("strategy", "")
        return cls(
            state=state if state in dict(STATE_CHOICES) else "",
            person=query.get("person", "")[:150].replace("\0", ""),
            strategy=strategy if strategy in set(Strategy) else "",
            reason=query.get("reason", "").strip()[:200].replace("\0", ""),
            before=_place(query.get("before", "")),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is left out, be it newer ones."""
        return self != StopFilter()


class StopSums(NamedTuple):
    """All stops that match, on whatever page."""

    stops: int
    proven: int
    failed: int
    median_seconds: int | None
    """From the click to the proof, of the newest MEDIAN_OF that were confirmed."""
    spent_after_microusd: int
    """Between click and proof."""
    avoided_microusd: int
    """An estimate: what the confirmed ones would have spent in AVOIDED_MINUTES more at the rate of the click, or
    until their cap if that came first."""


class StopPage(NamedTuple):
    """A page of the record, newest first; `before` asks for the next one."""

    receipts: tuple[Receipt, ...]
    before: str
    people: tuple[str, ...]


def receipt(pk: int, now: datetime) -> Receipt | None:
    """The receipt of one stop; None when there is no such stop."""
    stop = _with_attempts(StopRequest.objects.filter(pk=pk)).first()
    return receipt_of(stop, now) if stop else None


def receipts_of(session: AgentSession, now: datetime) -> list[Receipt]:
    """All stops of a session, newest first."""
    stops = _with_attempts(StopRequest.objects.filter(session=session)).order_by("-requested_at", "-pk")
    return [receipt_of(stop, now) for stop in stops[:PAGE]]


def stop_page(chosen: StopFilter, now: datetime) -> StopPage:
    """PAGE stops that match."""
    stops = list(_with_attempts(_matching(chosen)).order_by("-requested_at", "-pk")[: PAGE + 1])
    last = stops[PAGE - 1] if len(stops) > PAGE else None
    people = StopRequest.objects.order_by("requested_by_name").values_list("requested_by_name", flat=True)
    return StopPage(
        receipts=tuple(receipt_of(stop, now) for stop in stops[:PAGE]),
        before=f"{last.requested_at.isoformat()}_{last.pk}" if last else "",
        people=tuple(people.distinct()[:200]),
    )


def export_page(chosen: StopFilter, most: int) -> list[StopRequest]:
    """As many stops that match, from `before` on, with their sessions and accounts."""
    stops = _matching(chosen).select_related("session__account")
    return list(stops.order_by("-requested_at", "-pk")[:most])


def stop_sums(chosen: StopFilter) -> StopSums:
    """Two queries."""
    stops = _matching(chosen._replace(before=None))
    confirmed = Q(state=StopState.CONFIRMED)
    sums = stops.aggregate(
        stops=Count("pk"),
        proven=Count("pk", Q(state__in=(StopState.CONFIRMED, StopState.MOOT))),
        failed=Count("pk", Q(state__in=(StopState.FAILED, StopState.REJECTED))),
        spent_after_microusd=Coalesce(Sum(_SPENT_AFTER, filter=confirmed), 0),
        avoided_microusd=Coalesce(Sum(_AVOIDED, filter=confirmed), 0),
    )
    newest = stops.filter(confirmed).order_by("-requested_at", "-pk")[:MEDIAN_OF]
    times = newest.values_list("requested_at", "ended_at")
    seconds = [(end - begin).total_seconds() for begin, end in times if end]
    return StopSums(**sums, median_seconds=round(median(seconds)) if seconds else None)


def _with_attempts(stops: QuerySet[StopRequest]) -> QuerySet[StopRequest]:
    attempts = Prefetch("attempts", StopAttempt.objects.order_by("number"))
    return stops.select_related("session").prefetch_related(attempts)


def _matching(chosen: StopFilter) -> QuerySet[StopRequest]:
    stops = StopRequest.objects.all()
    if chosen.state == OPEN:
        stops = stops.filter(state__in=OPEN_STATES)
    elif chosen.state:
        stops = stops.filter(state=chosen.state)
    if chosen.person:
        stops = stops.filter(requested_by_name=chosen.person)
    if chosen.reason:
        stops = stops.filter(reason__icontains=chosen.reason)
    if chosen.strategy:
        stops = stops.filter(strategy=chosen.strategy)
    if chosen.before:
        at, pk = chosen.before
        stops = stops.filter(Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=pk))
    return stops


def _place(text: str) -> tuple[datetime, int] | None:
    moment, _, pk = text.rpartition("_")
    try:
        at = parse_datetime(moment.replace(" ", "+"))
    except (ValueError, ValidationError):
        return None
    if at is None or at.tzinfo is None or not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return at, int(pk)
