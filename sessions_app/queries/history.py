"""All sessions there ever were: filtered, searched, and read page by page from a place (keyset), never by offset."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from sessions_app.models import AgentSession
from sessions_app.queries import search
from sessions_app.queries.history_filter import (
    DEAREST,
    DIRECT,
    ENDED,
    LIVE,
    NEWEST,
    OTHER,
    SUCCESSFUL,
    HistoryFilter,
)
from sessions_app.queries.took import took_s
from sessions_app.types import FINAL_STATUSES, KNOWN_STATUSES

PAGE = 50
COUNTED_UP_TO = 10_000
"""Counting every match of a large history takes longer than anybody waits; past this it is "more than"."""


class HistoryPage(NamedTuple):
    """A page: our ids and versions in order, how many match, and from where the next page goes on."""

    versions: dict[int, int]
    total: int
    more: bool
    """There are more than `total`; nobody counted them."""
    after: str


def page_of(chosen: HistoryFilter) -> HistoryPage:
    """Two queries: the page, and the count up to COUNTED_UP_TO unless all stand on it; a third tells whether words are
    common."""
    common = _asks_for_common_words(chosen)
    sessions = (
        search.matching_one_by_one(AgentSession.objects.all(), chosen.q) if common else matching(chosen)
    )
    key = "total_cost_microusd" if chosen.sort == DEAREST else "created_at"
    found = list(_from(sessions, chosen, key).values_list("pk", "version", key)[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    is_all = last is None and not chosen.after and chosen.sort == NEWEST
    counted = len(found) if is_all else common or _counted(sessions)
    return HistoryPage(
        versions={pk: version for pk, version, _value in found[:PAGE]},
        total=min(counted, COUNTED_UP_TO),
        more=counted > COUNTED_UP_TO,
        after=_place(last[2], last[0]) if last else "",
    )


def _counted(sessions: QuerySet[AgentSession]) -> int:
    return sessions.order_by().values("pk")[: COUNTED_UP_TO + 1].count()


def _asks_for_common_words(chosen: HistoryFilter) -> int:
    """More than COUNTED_UP_TO when so many sessions have these words, and words are all that is asked for; else 0."""
    alone = chosen._replace(q="", sort=NEWEST)
    if not chosen.q or chosen.sort != NEWEST or alone.narrows:
        return 0
    counted = search.indexed_up_to(chosen.q, COUNTED_UP_TO + 1)
    return counted if counted > COUNTED_UP_TO else 0


def matching(chosen: HistoryFilter) -> QuerySet[AgentSession]:
    """Every session that the filter lets through, in no order."""
    sessions = search.matching(_of_status(AgentSession.objects.all(), chosen.status), chosen.q)
    wanted = {
        "model": chosen.model,
        "account__slug": chosen.account,
        "profile_id": chosen.profile,
        "workspace_id": chosen.workspace,
        "created_at__gte": _midnight(chosen.since, chosen.zone),
        "created_at__lt": _midnight(chosen.until, chosen.zone, days=1),
        "step_count__gte": chosen.steps_from,
        "step_count__lte": chosen.steps_to,
        "total_cost_microusd__gte": chosen.least_microusd,
        "total_cost_microusd__lte": chosen.most_microusd,
    }
    sessions = sessions.filter(**{name: value for name, value in wanted.items() if value not in (None, "")})
    if chosen.proxy:
        sessions = sessions.filter(proxy_country="" if chosen.proxy == DIRECT else chosen.proxy)
    if chosen.attention:
        sessions = _living(sessions, attention_rank__gt=0)
    if chosen.outcome:
        sessions = _of_outcome(sessions, SUCCESSFUL[chosen.outcome])
    return _that_took(sessions, chosen)


def _that_took(sessions: QuerySet[AgentSession], chosen: HistoryFilter) -> QuerySet[AgentSession]:
    if chosen.took_from is None and chosen.took_to is None:
        return sessions
    sessions = sessions.alias(took_s=took_s())
    if chosen.took_from is not None:
        sessions = sessions.filter(took_s__gte=chosen.took_from)
    return sessions if chosen.took_to is None else sessions.filter(took_s__lte=chosen.took_to)


def _of_status(sessions: QuerySet[AgentSession], status: str) -> QuerySet[AgentSession]:
    """One that was deleted upstream has ended, whatever its last status."""
    if status == LIVE:
        return _living(sessions)
    if status == ENDED:
        return sessions.filter(is_live=False)
    if status == OTHER:
        return sessions.exclude(status__in=KNOWN_STATUSES)
    if status in KNOWN_STATUSES - FINAL_STATUSES:
        return _living(sessions, status=status)
    return sessions.filter(status=status) if status else sessions


def _living(sessions: QuerySet[AgentSession], **which: object) -> QuerySet[AgentSession]:
    """Those that live, by a list of their own: else SQLite walks a million sessions, newest first, for a handful."""
    living = AgentSession.objects.filter(is_live=True, **which)
    return sessions.filter(pk__in=living.order_by().values("pk"))


def _of_outcome(sessions: QuerySet[AgentSession], successful: bool | None) -> QuerySet[AgentSession]:
    if successful is None:
        return sessions.filter(is_task_successful__isnull=True)
    return sessions.filter(is_task_successful=successful)


def _from(sessions: QuerySet[AgentSession], chosen: HistoryFilter, key: str) -> QuerySet[AgentSession]:
    """In order, behind the place that `after` names.  A cost that nobody knows has no place among the dearest."""
    ordered = sessions.filter(**{f"{key}__isnull": False}).order_by(f"-{key}", "-pk")
    place = _read_place(chosen.after, chosen.sort)
    if place is None:
        return ordered
    value, pk = place
    return ordered.filter(Q(**{f"{key}__lt": value}) | Q(**{key: value, "pk__lt": pk}))


def _place(value: datetime | int, pk: int) -> str:
    return f"{value.isoformat() if isinstance(value, datetime) else value}_{pk}"


def _read_place(text: str, sort: str) -> tuple[datetime | int, int] | None:
    value, _, pk = text.replace(" ", "+").rpartition("_")
    if not _is_number(pk):
        return None
    if sort == DEAREST:
        return (int(value), int(pk)) if _is_number(value.removeprefix("-")) else None
    try:
        at = parse_datetime(value)
    except ValueError:
        return None
    return (at, int(pk)) if at is not None and at.tzinfo is not None else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _midnight(day: date | None, zone: tzinfo, days: int = 0) -> datetime | None:
    """When `day` begins, or the one so many days later; None at the ends of time, where nothing is left out."""
    if day is None:
        return None
    try:
        return datetime.combine(day + timedelta(days=days), time.min, zone).astimezone(UTC)
    except OverflowError:
        return None
