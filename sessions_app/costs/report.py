"""The costs page's answer: total, days, groups, outcomes and sessions of one question, all from one moment."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sessions_app.costs import groups
from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.books import Disagreement, bookings, spends_of
from sessions_app.costs.each import AfterStops, Each, after_stops, each
from sessions_app.costs.ledger import Ledger
from sessions_app.costs.outcome import OUTCOMES, SUCCEEDED, Outcome, outcome_of
from sessions_app.costs.question import OUTCOME, PAGE, CostQuestion, day_of
from sessions_app.costs.selection import Selection
from sessions_app.costs.spend import Spend
from sessions_app.costs.titles import by_title
from sessions_app.models import AgentSession

COLUMNS = {"cost": "spent", "created": "created_s", "steps": "steps"}
"""What a page of sessions is sorted by, and where the ledger has it; for titles see `titles`."""
SHOWN = (
    "uuid", "title", "task", "status", "is_task_successful", "is_live", "created_at", "ended_at", "model", "profile_id",
    "workspace_id", "proxy_country", "step_count", "total_cost_microusd", "account__name",
)  # fmt: skip
"""All that page, files and mail show of a session: with all of its columns it takes three times as long, most of it
to decrypt its account's key."""


class DayCost(NamedTuple):
    day: date
    spend: Spend


class SessionCost(NamedTuple):
    """A session and what it spent in the stretch asked about, which may be less than it cost in all."""

    session: AgentSession
    spend: Spend
    outcome: Outcome
    profile: str
    workspace: str
    customer: str
    """The user id that its profile was given; "" without one."""


class OutcomeCost(NamedTuple):
    outcome: Outcome
    sessions: int
    microusd: int


class Report(NamedTuple):
    asked: CostQuestion
    total: Spend
    hours: tuple[tuple[int, Spend], ...]
    """(whole hours since 1970, spend), oldest first, hours without spend left out."""
    days: tuple[DayCost, ...]
    """Oldest first, days without spend left out."""
    outcomes: tuple[OutcomeCost, ...]
    each: Each | None
    after_stops: AfterStops
    groups: tuple[groups.Grouping, ...]
    sessions: tuple[SessionCost, ...]
    """One page of them."""
    disagreement: Disagreement | None

    @property
    def filters(self) -> list[tuple[str, str]]:
        """(facet, what people call its value)."""
        return [(facet, self._called(facet, value)) for facet, value in self.asked.only]

    @property
    def session_count(self) -> int:
        return sum(one.sessions for one in self.outcomes)

    @property
    def pages(self) -> int:
        return max(1, -(-self.session_count // PAGE))

    @property
    def largest_outcome_microusd(self) -> int:
        return max([one.microusd for one in self.outcomes] + [1])

    @property
    def succeeded(self) -> int:
        return sum(one.sessions for one in self.outcomes if one.outcome is SUCCEEDED)

    @property
    def per_success_microusd(self) -> int | None:
        """All that was spent, by the number of sessions that succeeded; None when none did."""
        return (self.total.total + self.succeeded // 2) // self.succeeded if self.succeeded else None

    @property
    def wasted_microusd(self) -> int:
        return sum(one.microusd for one in self.outcomes if one.outcome.wasted)

    @property
    def wasted_sessions(self) -> int:
        return sum(one.sessions for one in self.outcomes if one.outcome.wasted)

    def _called(self, facet: str, value: str) -> str:
        """The one group that is left has its name."""
        if facet == OUTCOME:
            return next(one.words for one in OUTCOMES if one.key == value)
        left = next(grouping for grouping in self.groups if grouping.facet == facet)
        named = next((group.words for group in left.groups if group.value == value), "")
        return named or groups.WITHOUT[facet] or value


def report(asked: CostQuestion) -> Report:
    """Everything on the page: one look at the ledger, and a handful of queries for names and sessions."""
    with opened() as ledger:
        chosen = ledger.select(asked.first_hour, asked.end_hour, asked.only)
        hours = tuple(chosen.hours)
        return Report(
            asked=asked,
            total=Spend.sum_of(spend for _, spend in hours),
            hours=hours,
            days=_days(hours, asked.tz),
            outcomes=_outcomes(chosen),
            each=each(chosen),
            after_stops=after_stops(ledger, asked),
            groups=groups.groupings(chosen),
            sessions=_sessions(chosen, asked),
            disagreement=_disagreement(ledger, chosen) if asked.is_everything else None,
        )


def _disagreement(ledger: Ledger, everything: Selection) -> Disagreement | None:
    booked, known = everything.microusd, ledger.known_microusd
    return None if booked == known else Disagreement(booked, known)


def _days(hours: Iterable[tuple[int, Spend]], tz: ZoneInfo) -> tuple[DayCost, ...]:
    days: dict[date, list[Spend]] = {}
    for hour, spend in hours:
        days.setdefault(day_of(hour, tz), []).append(spend)
    return tuple(DayCost(day, Spend.sum_of(days[day])) for day in sorted(days))


def _outcomes(chosen: Selection) -> tuple[OutcomeCost, ...]:
    """By outcome, in the order of OUTCOMES; those that did not happen are left out."""
    found = {group.key: group for group in chosen.groups(OUTCOME)}
    return tuple(
        OutcomeCost(outcome, found[outcome].sessions, found[outcome].microusd)
        for outcome in OUTCOMES
        if outcome in found
    )


def _sessions(chosen: Selection, asked: CostQuestion) -> tuple[SessionCost, ...]:
    if asked.sort in COLUMNS:
        pks = chosen.page(COLUMNS[asked.sort], asked.offset, PAGE, descending=asked.descending)
    else:
        pks = by_title(chosen, asked.offset, PAGE, descending=asked.descending)
    # They are among what the filters let through: asked for once more, these would make a database join.
    spends = spends_of(bookings(asked._replace(only=())).filter(session_id__in=pks))
    return session_costs({pk: spends[pk] for pk in pks})


def session_costs(spends: Mapping[int, Spend]) -> tuple[SessionCost, ...]:
    """The sessions of these keys, in this order, with the words that people know them by.  Three queries."""
    sessions = AgentSession.objects.select_related("account").only(*SHOWN).in_bulk(spends)
    names = groups.names(
        {uuid for one in sessions.values() for uuid in (one.profile_id, one.workspace_id) if uuid}
    )
    customers = groups.customers({one.profile_id for one in sessions.values() if one.profile_id})
    return tuple(_session_cost(sessions[pk], spend, names, customers) for pk, spend in spends.items())


def _session_cost(
    session: AgentSession, spend: Spend, names: dict[UUID, str], customers: dict[UUID, str]
) -> SessionCost:
    return SessionCost(
        session,
        spend,
        outcome_of(session.status, session.is_task_successful, session.is_live),
        groups.named(session.profile_id, names),
        groups.named(session.workspace_id, names),
        customers.get(session.profile_id, "") if session.profile_id else "",
    )
