"""All sessions there ever were: filtered, searched, and read page by page from a place (keyset), never by offset."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime

from sessions_app.models import Account, AgentSession
from sessions_app.queries import search
from sessions_app.queries.floor import as_uuid
from sessions_app.types import KNOWN_STATUSES, Status
from sessions_app.upstream.decimals import parse_micro

PAGE = 50
COUNTED_UP_TO = 10_000
"""Counting every match of a large history takes longer than anybody waits; past this it is "more than"."""
NEWEST, DEAREST = "newest", "dearest"
LIVE, ENDED, OTHER = "live", "ended", "other"
STATUSES = (
    (LIVE, "Live"),
    (ENDED, "Ended"),
    (Status.RUNNING, "Running"),
    (Status.IDLE, "Idle"),
    (Status.CREATED, "Starting"),
    (Status.STOPPED, "Stopped"),
    (Status.TIMED_OUT, "Timed out"),
    (Status.ERROR, "Error"),
    (OTHER, "Other"),
)
OUTCOMES = (("succeeded", "Succeeded"), ("failed", "Failed"), ("unknown", "Not said"))
_SUCCESSFUL = {"succeeded": True, "failed": False, "unknown": None}


class HistoryFilter(NamedTuple):
    """What the address bar asks for.  Words that mean nothing here ask for nothing.  Days are those of `zone`."""

    status: str = ""
    outcome: str = ""
    model: str = ""
    account: str = ""
    profile: str = ""
    workspace: str = ""
    since: date | None = None
    until: date | None = None
    least_microusd: int | None = None
    attention: bool = False
    q: str = ""
    sort: str = NEWEST
    after: str = ""
    zone: tzinfo = UTC

    @classmethod
    def from_query(cls, query: Mapping[str, str], *, see_costs: bool, zone: tzinfo = UTC) -> "HistoryFilter":
        status, outcome = query.get("status", ""), query.get("outcome", "")
        dearest = see_costs and query.get("sort", "") == DEAREST
        return cls(
            status=status if status in dict(STATUSES) else "",
            outcome=outcome if outcome in _SUCCESSFUL else "",
            model=search.clean(query.get("model", "")),
            account=search.clean(query.get("account", "")),
            profile=str(as_uuid(query.get("profile", "")) or ""),
            workspace=str(as_uuid(query.get("workspace", "")) or ""),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
            least_microusd=_dollars(query.get("least", "")) if see_costs else None,
            attention=query.get("attention", "") == "1",
            q=search.clean(query.get("q", "")),
            sort=DEAREST if dearest else NEWEST,
            after=query.get("after", ""),
            zone=zone,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self[:11] != HistoryFilter()[:11]


class HistoryPage(NamedTuple):
    """A page: our ids and versions in order, how many match, and from where the next page goes on."""

    versions: dict[int, int]
    total: int
    more: bool
    """There are more than `total`; nobody counted them."""
    after: str


def page_of(chosen: HistoryFilter) -> HistoryPage:
    """Two queries: the page, and the count up to COUNTED_UP_TO."""
    sessions = matching(chosen)
    key = "total_cost_microusd" if chosen.sort == DEAREST else "created_at"
    found = list(_from(sessions, chosen, key).values_list("pk", "version", key)[: PAGE + 1])
    counted = sessions.order_by().values("pk")[: COUNTED_UP_TO + 1].count()
    last = found[PAGE - 1] if len(found) > PAGE else None
    return HistoryPage(
        versions={pk: version for pk, version, _value in found[:PAGE]},
        total=min(counted, COUNTED_UP_TO),
        more=counted > COUNTED_UP_TO,
        after=_place(last[2], last[0]) if last else "",
    )


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
        "total_cost_microusd__gte": chosen.least_microusd,
    }
    sessions = sessions.filter(**{name: value for name, value in wanted.items() if value not in (None, "")})
    if chosen.outcome:
        sessions = _of_outcome(sessions, _SUCCESSFUL[chosen.outcome])
    return sessions.filter(attention_rank__gt=0) if chosen.attention else sessions


def models() -> list[str]:
    """Every model that was ever seen."""
    found = AgentSession.objects.exclude(model="").order_by("model").values_list("model", flat=True)
    return list(found.distinct()[:200])


def accounts() -> list[tuple[str, str]]:
    """(slug, name)."""
    return list(Account.objects.order_by("name", "id").values_list("slug", "name"))


def _of_status(sessions: QuerySet[AgentSession], status: str) -> QuerySet[AgentSession]:
    if status in (LIVE, ENDED):
        return sessions.filter(is_live=status == LIVE)
    if status == OTHER:
        return sessions.exclude(status__in=KNOWN_STATUSES)
    return sessions.filter(status=status) if status else sessions


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


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _midnight(day: date | None, zone: tzinfo, days: int = 0) -> datetime | None:
    """When `day` begins, or the one so many days later; None at the ends of time, where nothing is left out."""
    if day is None:
        return None
    try:
        return datetime.combine(day + timedelta(days=days), time.min, zone).astimezone(UTC)
    except OverflowError:
        return None


def _dollars(text: str) -> int | None:
    return parse_micro(text.strip().removeprefix("$")) if text.strip() else None
