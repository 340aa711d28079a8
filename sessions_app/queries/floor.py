"""The live floor: which sessions are shown, in which order, and what one may filter by."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, QuerySet, Window
from django.db.models.functions import Coalesce

from sessions_app.models import Account, AgentSession, UpstreamName
from sessions_app.queries import search
from sessions_app.types import KNOWN_STATUSES, Status

PAGE = 60
"""Rows of a page: fills a wall in rows of 2, 3, 4, 5 and 6."""
SCREEN = 12
"""Tiles of a wall screen: 4 × 3, to be read from across a room."""
MAX_PAGE = 10_000

ORDERS = {
    "attention": ("Attention", ("-attention_rank", "-created_at", "-id")),
    "newest": ("Newest", ("-created_at", "-id")),
    "longest": ("Longest running", ("created_at", "id")),
    "cost": ("Cost", (Coalesce("total_cost_microusd", -1).desc(), "-id")),
    "burn": ("$/min", ("-burn_microusd_per_min", "-id")),
    "steps": ("Steps", ("-step_count", "-id")),
}
"""Word of the address → label and order.  The first is the default."""
NEEDS_COSTS = frozenset({"cost", "burn"})
OTHER = "other"
"""In the address: a status that we don't know."""
STATUSES = (
    (Status.RUNNING, "Running"),
    (Status.IDLE, "Idle"),
    (Status.CREATED, "Starting"),
    (OTHER, "Other"),
)


class FloorFilter(NamedTuple):
    """What the address bar asks for.  Words that mean nothing here ask for nothing."""

    status: str = ""
    attention: bool = False
    model: str = ""
    account: str = ""
    profile: UUID | None = None
    workspace: UUID | None = None
    q: str = ""
    sort: str = "attention"
    page: int = 1

    @classmethod
    def from_query(cls, query: Mapping[str, str], *, see_costs: bool) -> "FloorFilter":
        status, sort = query.get("status", ""), query.get("sort", "")
        return cls(
            status=status if status in dict(STATUSES) else "",
            attention=query.get("attention", "") == "1",
            model=search.clean(query.get("model", "")),
            account=search.clean(query.get("account", "")),
            profile=as_uuid(query.get("profile", "")),
            workspace=as_uuid(query.get("workspace", "")),
            q=search.clean(query.get("q", "")),
            sort=sort if sort in ORDERS and (see_costs or sort not in NEEDS_COSTS) else "attention",
            page=_page(query.get("page", "")),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self[:7] != FloorFilter()[:7]

    @property
    def query(self) -> str:
        """What narrows, as an address says it (without "?"); "" when nothing does."""
        asked = {**self._asdict(), "attention": "1" if self.attention else "", "sort": "", "page": ""}
        return urlencode({name: value for name, value in asked.items() if value})


class FloorPage(NamedTuple):
    """A page of the floor: our ids and versions in order, and how many match in all."""

    versions: dict[int, int]
    total: int
    page: int
    pages: int

    @property
    def elsewhere(self) -> int:
        """How many match and are on other pages."""
        return self.total - len(self.versions)

    @property
    def previous(self) -> int:
        return self.page - 1

    @property
    def next(self) -> int:
        return self.page + 1


class Choices(NamedTuple):
    """What the live floor can be filtered by just now: (value, label), sorted by label."""

    models: list[tuple[str, str]]
    accounts: list[tuple[str, str]]
    profiles: list[tuple[str, str]]
    workspaces: list[tuple[str, str]]


def orders(*, see_costs: bool) -> list[tuple[str, str]]:
    """(word, label) of the orders that this viewer may ask for: one by cost would tell costs."""
    return [(word, label) for word, (label, _) in ORDERS.items() if see_costs or word not in NEEDS_COSTS]


def page_of(chosen: FloorFilter, size: int = PAGE) -> FloorPage:
    """The sessions that live and match.  One query; three when the address asks for a page that is no more."""
    sessions = matching(chosen)
    versions, total = _page_and_total(sessions, chosen, chosen.page, size)
    page = chosen.page
    if not versions and page > 1:
        total = sessions.count()
        page = max(1, -(-total // size))
        versions, _ = _page_and_total(sessions, chosen, page, size)
    return FloorPage(versions, total, page, max(1, -(-total // size)))


def _page_and_total(
    sessions: QuerySet[AgentSession], chosen: FloorFilter, page: int, size: int
) -> tuple[dict[int, int], int]:
    """Ids and versions of that page, in order, and how many match on all pages (0 when this one is empty)."""
    _label, order = ORDERS[chosen.sort]
    first = (page - 1) * size
    counted = sessions.annotate(matches=Window(Count("pk"))).order_by(*order)
    rows = list(counted.values_list("pk", "version", "matches")[first : first + size])
    return {pk: version for pk, version, _ in rows}, rows[0][2] if rows else 0


def choices() -> Choices:
    """Three queries, whatever the number of sessions."""
    kinds = set(_live().order_by().values_list("model", "profile_id", "workspace_id").distinct())
    models = {model for model, _, _ in kinds if model}
    profiles = {profile for _, profile, _ in kinds if profile}
    workspaces = {workspace for _, _, workspace in kinds if workspace}
    accounts = Account.objects.filter(is_active=True).order_by("name", "id").values_list("slug", "name")
    named = UpstreamName.objects.filter(uuid__in=profiles | workspaces).values_list("uuid", "name")
    names = dict(named)
    return Choices(
        models=[(model, model) for model in sorted(models)],
        accounts=list(accounts),
        profiles=_named(profiles, names),
        workspaces=_named(workspaces, names),
    )


def as_uuid(text: str) -> UUID | None:
    """None for anything that is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        return None


@cache
def _live() -> QuerySet[AgentSession]:
    """Never asked itself, only narrowed: to put it together takes as long as to ask."""
    return AgentSession.objects.filter(is_live=True, account__is_active=True)


def matching(chosen: FloorFilter) -> QuerySet[AgentSession]:
    """Every session that lives and that the filter lets through, on whatever page, in no order."""
    sessions = _live()
    if chosen.status == OTHER:
        sessions = sessions.exclude(status__in=KNOWN_STATUSES)
    elif chosen.status:
        sessions = sessions.filter(status=chosen.status)
    if chosen.attention:
        sessions = sessions.filter(attention_rank__gt=0)
    wanted = {
        "model": chosen.model,
        "account__slug": chosen.account,
        "profile_id": chosen.profile,
        "workspace_id": chosen.workspace,
    }
    sessions = sessions.filter(**{column: value for column, value in wanted.items() if value})
    return search.matching(sessions, chosen.q)


def _named(uuids: set[UUID], names: dict[UUID, str]) -> list[tuple[str, str]]:
    """(uuid, name), by name; one that has none is called by the beginning of its id."""
    named = [(str(uuid), names.get(uuid, str(uuid)[:8])) for uuid in uuids]
    return sorted(named, key=lambda choice: (choice[1].lower(), choice[0]))


def _page(text: str) -> int:
    return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1
