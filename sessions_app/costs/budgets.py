"""Budgets: what was spent of each in its period, where that is going, and the warnings, each once per period."""

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import transaction

from sessions_app.costs import books
from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.groups import account_names, names, words_of
from sessions_app.costs.question import FACETS, HOUR_S, NONE, UUID_FACETS, midnight, zone_of
from sessions_app.models import Budget, BudgetWarning
from sessions_app.rules.budgets import due, period_of
from sessions_app.rules.history import to_hour
from sessions_app.rules.money import format_short

type Spent = Callable[[int | None, int | None, tuple[tuple[str, str], ...]], int]
"""Micro-dollars from one hour on and before another, of what the filters let through."""

log = logging.getLogger(__name__)
MOST_CHOICES = 300
FIRST_TENTH = 10
"""Before a tenth of the period is over, nothing is said about its end."""


class Standing(NamedTuple):
    """A budget in its present period.  `expected` at its end if it goes on like this; None while that is too early."""

    budget: Budget
    what: str
    first_day: date
    next_day: date
    spent: int
    expected: int | None
    warnings: tuple[BudgetWarning, ...]

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """What it is for, as the costs page's filters say it."""
        return _filter(self.budget)

    @property
    def percent(self) -> int:
        return self.spent * 100 // self.budget.amount_microusd

    @property
    def look(self) -> str:
        """CSS class: over, likely to be, or neither."""
        if self.spent >= self.budget.amount_microusd:
            return "is-error"
        return "is-warn" if (self.expected or 0) > self.budget.amount_microusd else "is-succeeded"


def standings(now: datetime, spent: Spent = books.spent) -> list[Standing]:
    """All budgets.  A call of `spent` for each, and three queries for names and warnings: budgets are few."""
    budgets = list(Budget.objects.all())
    known = _names(budgets)
    warnings: dict[tuple[int, date], list[BudgetWarning]] = {}
    for warning in BudgetWarning.objects.filter(budget__in=budgets).order_by("percent"):
        warnings.setdefault((warning.budget_id, warning.first_day), []).append(warning)
    return [_standing(budget, known, warnings, now, spent) for budget in budgets]


def check(now: datetime) -> list[BudgetWarning]:
    """Give the warnings that are due.  Whoever else checks at the same time gives none of them again."""
    given = []
    for standing in standings(now):
        budget, warned = standing.budget, {one.percent for one in standing.warnings}
        for percent in due(standing.spent, budget.amount_microusd, budget.warn_at, warned):
            with transaction.atomic():
                warning, is_new = BudgetWarning.objects.get_or_create(
                    budget=budget,
                    first_day=standing.first_day,
                    percent=percent,
                    defaults={"at": now, "spent_microusd": standing.spent},
                )
            if is_new:
                given.append(warning)
                spent, amount = format_short(standing.spent), format_short(budget.amount_microusd)
                log.warning("budget %s: %s %% reached, $%s of $%s", budget.name, percent, spent, amount)
    return given


def _standing(
    budget: Budget, known: dict[Any, str], warnings: dict[Any, Any], now: datetime, spent_in: Spent
) -> Standing:
    tz = zone_of(budget.zone)
    first, after = period_of(budget.period, now.astimezone(tz).date())
    begin, end = midnight(first, tz), midnight(after, tz)
    spent = spent_in(-int(-begin.timestamp() // HOUR_S), to_hour(now) + 1, _filter(budget))
    gone, whole = now - begin, end - begin
    expected = round(spent * (whole / gone)) if gone * FIRST_TENTH >= whole else None
    said = tuple(warnings.get((budget.pk, first), ()))
    return Standing(budget, _what(budget, known), first, after, spent, expected, said)


LASTING = tuple(facet for facet in FACETS if facet != "status")
"""What a session keeps: money moves from "running" to "stopped" when it ends, and no amount could be held."""


def _filter(budget: Budget) -> tuple[tuple[str, str], ...]:
    return ((budget.facet, budget.value),) if budget.facet in FACETS else ()


def _names(budgets: Iterable[Budget]) -> dict[Any, str]:
    uuids = {budget.value for budget in budgets if budget.facet in UUID_FACETS and budget.value != NONE}
    found = names(uuids)  # type: ignore[arg-type]
    return {str(key): name for key, name in (found | account_names()).items()}


def _what(budget: Budget, known: dict[Any, str]) -> str:
    if budget.facet not in FACETS:
        return "everything"
    key = None if budget.value == NONE else budget.value
    return f"{budget.facet} {words_of(budget.facet, key, known)[1]}"


def choices() -> list[tuple[str, str]]:
    """What a budget can be for: ("facet:value", words), everything first, as sessions have it now."""
    found = [("", "Everything")]
    known = {str(key): name for key, name in account_names().items()}
    with opened() as ledger:
        values = {facet: [key for key in ledger.values(facet) if key is not None] for facet in LASTING}
    for facet, keys in values.items():
        spelled = [str(key) for key in keys[:MOST_CHOICES]]
        words = known if facet not in UUID_FACETS else {str(k): n for k, n in names(keys).items()}
        found += sorted(
            (f"{facet}:{value}", f"{facet}: {words_of(facet, value, words)[1]}") for value in spelled
        )
    return found
