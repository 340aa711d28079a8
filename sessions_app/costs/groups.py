"""What was spent by model, profile, workspace, country and account."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, QuerySet

from sessions_app.costs.books import SUMS
from sessions_app.costs.question import FACETS, NONE, UUID_FACETS
from sessions_app.models import Account, CostHour, UpstreamName

MOST = 8
"""Groups that are named; the rest is one line."""
WITHOUT = {
    "model": "No model said",
    "profile": "Without a profile",
    "workspace": "Without a workspace",
    "country": "Without a proxy country",
    "account": "",
}


class Group(NamedTuple):
    """`value` is what the address bar's filter takes; empty for "all others"."""

    value: str
    words: str
    sessions: int
    microusd: int


class Grouping(NamedTuple):
    """Spend by one facet, dearest first.  The groups' sum is the total."""

    facet: str
    groups: tuple[Group, ...]

    @property
    def largest_microusd(self) -> int:
        return max([group.microusd for group in self.groups] + [1])


def groupings(booked: QuerySet[CostHour]) -> tuple[Grouping, ...]:
    """One query per facet, and two for the names."""
    found = {facet: _rows(booked, column) for facet, column in FACETS.items()}
    uuids = {key for facet in UUID_FACETS for key, _, _ in found[facet] if key is not None}
    words = {"account": account_names(), **dict.fromkeys(UUID_FACETS, names(uuids))}
    return tuple(
        Grouping(facet, _shortened([_group(facet, row, words.get(facet, {})) for row in rows]))
        for facet, rows in found.items()
    )


def names(uuids: Collection[UUID]) -> dict[Any, str]:
    """What people call these profiles and workspaces.  The many are asked for together: SQLite takes 32,766."""
    known = UpstreamName.objects.filter(uuid__in=list(uuids)[:5_000])
    return dict(known.values_list("uuid", "name")) if uuids else {}


def named(uuid: UUID | None, known: dict[Any, str]) -> str:
    """A name, or the beginning of the UUID where the vendor's list has none."""
    return "" if uuid is None else known.get(uuid) or f"{str(uuid)[:8]}…"


def _rows(booked: QuerySet[CostHour], column: str) -> list[tuple[Any, int, int]]:
    rows = (
        booked.order_by()
        .values(column)
        .annotate(sessions=Count("session_id", distinct=True), total=SUMS["total"])
        .order_by("-total", column)
    )
    return [(row[column], row["sessions"], row["total"]) for row in rows]


def words_of(facet: str, key: Any, known: dict[Any, str]) -> tuple[str, str]:
    """What the address bar's filter takes for it, and what people call it."""
    if key in (None, ""):
        return NONE, WITHOUT[facet]
    if facet in UUID_FACETS:
        return str(key), named(key, known)
    text = str(key)
    country = facet == "country" and len(text) == 2
    return text, known.get(key, text.upper() if country else text)


def _group(facet: str, row: tuple[Any, int, int], words: dict[Any, str]) -> Group:
    key, sessions, microusd = row
    return Group(*words_of(facet, key, words), sessions, microusd)


def _shortened(groups: list[Group]) -> tuple[Group, ...]:
    if len(groups) <= MOST + 1:
        return tuple(groups)
    others = groups[MOST:]
    rest = Group(
        "",
        f"{len(others):,} others",
        sum(group.sessions for group in others),
        sum(group.microusd for group in others),
    )
    return (*groups[:MOST], rest)


def account_names() -> dict[Any, str]:
    """By primary key."""
    return dict(Account.objects.values_list("pk", "name"))
