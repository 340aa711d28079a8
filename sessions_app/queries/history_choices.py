"""What the history can be filtered by, and the chips that say what it is filtered by."""

from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from sessions_app.models import Account, UpstreamName
from sessions_app.queries.history_filter import DIRECT, OUTCOMES, STATUSES, HistoryFilter
from sessions_app.queries.kinds import kinds
from sessions_app.rules.money import format_exact
from sessions_app.rules.spans import in_words

MOST = 300
"""Of profiles and of workspaces: nobody reads a longer list.  The chosen one is among them."""

type Choice = tuple[str, str]
"""What stands in the address, and what people call it."""


class Choices(NamedTuple):
    models: list[Choice]
    proxies: list[Choice]
    accounts: list[Choice]
    profiles: list[Choice]
    workspaces: list[Choice]


class Chip(NamedTuple):
    """A filter that is on.  `params`: what goes from the address when it is taken off."""

    params: tuple[str, ...]
    label: str
    words: str


def choices(chosen: HistoryFilter) -> Choices:
    """Four queries, whatever the number of sessions."""
    known = kinds()
    models = {model for model, _ in known if model}
    countries = {country for _, country in known if country}
    accounts = list(Account.objects.order_by("name", "id").values_list("slug", "name"))
    return Choices(
        models=_and(chosen.model, [(model, model) for model in sorted(models)]),
        proxies=_and(
            chosen.proxy,
            [(DIRECT, "No proxy"), *((country, country.upper()) for country in sorted(countries))],
        ),
        accounts=_and(chosen.account, accounts),
        profiles=_named(UpstreamName.PROFILE, chosen.profile, with_account=len(accounts) > 1),
        workspaces=_named(UpstreamName.WORKSPACE, chosen.workspace, with_account=len(accounts) > 1),
    )


def _and(value: str, offered: list[Choice]) -> list[Choice]:
    """What the address asks for is among the choices, also when nobody offers it."""
    return offered if not value or value in dict(offered) else [*offered, (value, value)]


def _named(kind: str, here: str, *, with_account: bool) -> list[Choice]:
    known = UpstreamName.objects.filter(kind=kind).order_by("name", "uuid")
    rows = list(known.values_list("uuid", "name", "account__name")[:MOST])
    if here and UUID(here) not in {uuid for uuid, _, _ in rows}:
        rows += list(known.filter(Q(uuid=here)).values_list("uuid", "name", "account__name")[:1]) or [
            (UUID(here), here[:8], "")
        ]
    return [
        (str(uuid), f"{name} · {account}" if with_account and account else name)
        for uuid, name, account in rows
    ]


def chips(chosen: HistoryFilter, offered: Choices) -> list[Chip]:
    """What is on, in the order of the panel, in the words of its choices."""
    named = (
        ("status", "Status", chosen.status, STATUSES),
        ("outcome", "Outcome", chosen.outcome, OUTCOMES),
        ("model", "Model", chosen.model, offered.models),
        ("account", "Account", chosen.account, offered.accounts),
        ("profile", "Profile", chosen.profile, offered.profiles),
        ("workspace", "Workspace", chosen.workspace, offered.workspaces),
        ("proxy", "Proxy", chosen.proxy, offered.proxies),
    )
    found = [
        Chip((name,), label, dict(words).get(value, value)) for name, label, value, words in named if value
    ]
    found += [Chip(params, label, words) for params, label, words in _ranges(chosen) if words]
    if chosen.attention:
        found.append(Chip(("attention",), "", "Needs attention"))
    return [*found, Chip(("q",), "Search", f"“{chosen.q}”")] if chosen.q else found


def _ranges(chosen: HistoryFilter) -> list[tuple[tuple[str, str], str, str]]:
    steps_from, steps_to = (
        "" if number is None else f"{number:,}" for number in (chosen.steps_from, chosen.steps_to)
    )
    took_from, took_to = (
        "" if span is None else in_words(span) for span in (chosen.took_from, chosen.took_to)
    )
    least, most = (
        "" if cost is None else f"${format_exact(cost)}"
        for cost in (chosen.least_microusd, chosen.most_microusd)
    )
    return [
        (("since", "until"), "Started", _range(_day(chosen.since), _day(chosen.until))),
        (("steps_from", "steps_to"), "Steps", _range(steps_from, steps_to)),
        (("took_from", "took_to"), "Took", _range(took_from, took_to)),
        (("least", "most"), "Cost", _range(least, most)),
    ]


def _day(day: object) -> str:
    return "" if day is None else str(day)


def _range(least: str, most: str) -> str:
    """`3 – 5`, `from 3`, `up to 5`, or nothing."""
    if least and most:
        return f"{least} – {most}" if least != most else least
    return f"from {least}" if least else (f"up to {most}" if most else "")
