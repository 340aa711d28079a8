"""What the costs page should say, reckoned row by row from the database: slow, and without the ledger."""

from collections import defaultdict
from typing import NamedTuple

from sessions_app.costs.outcome import outcome_of
from sessions_app.costs.question import FACETS, CostQuestion
from sessions_app.models import AgentSession, CostHour


class Reckoning(NamedTuple):
    total: int
    hours: dict[int, tuple[int, ...]]
    spent: dict[int, int]
    """By session."""
    sides: dict[str, dict[object, tuple[int, int]]]
    """Of each facet, and the outcome: by value, how many sessions and how much."""


def reckoning(asked: CostQuestion) -> Reckoning:
    sessions = {session.pk: session for session in AgentSession.objects.all()}
    hours: dict[int, list[int]] = defaultdict(lambda: [0] * 5)
    spent: dict[int, int] = defaultdict(int)
    for row in CostHour.objects.all():
        if _outside(asked, row.hour) or not _passes(sessions[row.session_id], asked):
            continue
        kinds = (
            row.llm_microusd,
            row.proxy_microusd,
            row.browser_microusd,
            row.total_microusd,
            row.idle_microusd,
        )
        hours[row.hour] = [mine + more for mine, more in zip(hours[row.hour], kinds, strict=True)]
        spent[row.session_id] += row.total_microusd
    sides: dict[str, dict[object, tuple[int, int]]] = {name: {} for name in (*FACETS, "outcome")}
    for pk, microusd in spent.items():
        for name, found in sides.items():
            value = _value(sessions[pk], name)
            count, sum_ = found.get(value, (0, 0))
            found[value] = (count + 1, sum_ + microusd)
    return Reckoning(
        sum(spent.values()), {hour: tuple(kinds) for hour, kinds in hours.items()}, dict(spent), sides
    )


def _outside(asked: CostQuestion, hour: int) -> bool:
    return (asked.first_hour is not None and hour < asked.first_hour) or (
        asked.end_hour is not None and hour >= asked.end_hour
    )


def _passes(session: AgentSession, asked: CostQuestion) -> bool:
    return all(_spelled(session, side) == value for side, value in asked.only)


def _spelled(session: AgentSession, side: str) -> str:
    """As the address bar has it."""
    value = _value(session, side)
    return "none" if value is None else value.key if side == "outcome" else str(value)


def _value(session: AgentSession, side: str) -> object:
    if side == "outcome":
        return outcome_of(session.status, session.is_task_successful, session.is_live)
    value = getattr(session, FACETS[side].removeprefix("session__"))
    return None if value in (None, "") else value
