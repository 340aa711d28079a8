"""What was spent by model, profile, workspace, country and account."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sessions_app.costs import selection
from sessions_app.costs.question import FACETS, NONE, UUID_FACETS
from sessions_app.models import Account, UpstreamName

MOST = 8
"""Groups that are named; the rest is one line."""
WITHOUT = {
    "model": "No model said",
    "profile": "Without a profile",
    "workspace": "Without a workspace",
    "country": "Without a proxy country",
    "account": "",
    "status": "Without a status",
}


class Group(NamedTuple):
    """`value` is what the address bar's filter takes; empty for "all others".  `customer`: whose profile it is, by the
    id that the profile was given for them."""

    value: str
    words: str
    sessions: int
    microusd: int
    customer: str = ""


class Grouping(NamedTuple):
    """Spend by one facet, dearest first.  The groups' sum is the total."""

    facet: str
    groups: tuple[Group, ...]

    @property
    def largest_microusd(self) -> int:
        return max([group.microusd for group in self.groups] + [1])


def groupings(chosen: selection.Selection) -> tuple[Grouping, ...]:
    """By every facet.  Three queries, for the names of what is shown."""
    found = {facet: _shortened(chosen.groups(facet)) for facet in FACETS}
    uuids = {one.key for facet in UUID_FACETS for one in found[facet][0] if one.key is not None}
    words = {"account": account_names(), **dict.fromkeys(UUID_FACETS, names(uuids))}
    theirs = customers(uuids)
    return tuple(
        Grouping(facet, _named(facet, shown, others, words.get(facet, {}), theirs))
        for facet, (shown, others) in found.items()
    )


def names(uuids: Collection[UUID]) -> dict[Any, str]:
    """What people call these profiles and workspaces.  The many are asked for together: SQLite takes 32,766."""
    known = UpstreamName.objects.filter(uuid__in=list(uuids)[:5_000])
    return dict(known.values_list("uuid", "name")) if uuids else {}


def customers(uuids: Collection[UUID]) -> dict[Any, str]:
    """The user ids that the vendor keeps with these profiles, of those that have one."""
    known = UpstreamName.objects.filter(kind=UpstreamName.PROFILE, uuid__in=list(uuids)[:5_000])
    return dict(known.exclude(customer_id="").values_list("uuid", "customer_id")) if uuids else {}


def named(uuid: UUID | None, known: dict[Any, str]) -> str:
    """A name, or the beginning of the UUID where the vendor's list has none."""
    return "" if uuid is None else known.get(uuid) or f"{str(uuid)[:8]}…"


def words_of(facet: str, key: Any, known: dict[Any, str]) -> tuple[str, str]:
    """What the address bar's filter takes for it, and what people call it."""
    if key in (None, ""):
        return NONE, WITHOUT[facet]
    if facet in UUID_FACETS:
        return str(key), named(key, known)
    text = str(key)
    if facet == "status":
        return text, text.replace("_", " ").capitalize()
    country = facet == "country" and len(text) == 2
    return text, known.get(key, text.upper() if country else text)


def _shortened(groups: list[selection.Group]) -> tuple[list[selection.Group], list[selection.Group]]:
    """What is shown, and what is one line."""
    return (groups, []) if len(groups) <= MOST + 1 else (groups[:MOST], groups[MOST:])


def _named(
    facet: str,
    shown: list[selection.Group],
    others: list[selection.Group],
    words: dict[Any, str],
    theirs: dict[Any, str],
) -> tuple[Group, ...]:
    groups = [
        Group(*words_of(facet, one.key, words), one.sessions, one.microusd, theirs.get(one.key, ""))
        for one in shown
    ]
    if others:
        sessions, microusd = (sum(one.sessions for one in others), sum(one.microusd for one in others))
        groups.append(Group("", f"{len(others):,} others", sessions, microusd))
    return tuple(groups)


def account_names() -> dict[Any, str]:
    """By primary key."""
    return dict(Account.objects.values_list("pk", "name"))
