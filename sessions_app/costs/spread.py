"""How many sessions cost how much, and how much of the money that was: shares for an SVG, and the figures themselves."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.chart import PLOT_BOTTOM, PLOT_TOP, Tick, scale
from sessions_app.costs.question import CostQuestion

EDGES = (*(digit * 10**power for power in range(4, 9) for digit in (1, 2, 5)), 10**9)
"""Micro-dollars between one step and the next: from a cent to a thousand dollars."""
FEWEST_SLOTS = 6
BAR_SHARE = 0.4
"""Of a slot, for each of the two bars."""


class Step(NamedTuple):
    """Sessions that spent `least` or more and less than `below` micro-dollars in the stretch; None is open."""

    least: int | None
    below: int | None
    sessions: int
    microusd: int


class Bars(NamedTuple):
    """A step as drawn: percent of the area."""

    step: Step
    x: float
    width: float
    middle: float
    sessions_y: float
    sessions_height: float
    spend_y: float
    spend_height: float
    is_minor: bool


class Spread(NamedTuple):
    bars: tuple[Bars, ...]
    ticks: tuple[Tick, ...]
    """In percent."""
    sessions: int
    microusd: int

    @property
    def steps(self) -> list[Step]:
        return [bars.step for bars in self.bars]


def spread(asked: CostQuestion) -> Spread | None:
    """None when no session spent anything.  Steps beyond the first and the last that a session fell into are left out."""
    with opened() as ledger:
        chosen = ledger.select(asked.first_hour, asked.end_hour, asked.only)
        steps = list(_used(_steps(chosen.spread(EDGES))))
    if not steps:
        return None
    shares = _shares(steps)
    top, ticks = scale(round(100 * max(max(pair) for pair in shares)))
    sums = sum(one.sessions for one in steps), sum(one.microusd for one in steps)
    return Spread(tuple(_bars(steps, shares, top / 100)), ticks, *sums)


def _steps(counted: Sequence[tuple[int, int]]) -> list[Step]:
    ends = zip((None, *EDGES), (*EDGES, None), counted, strict=True)
    return [Step(least, below, *figures) for least, below, figures in ends]


def _used(steps: list[Step]) -> Sequence[Step]:
    used = [number for number, one in enumerate(steps) if one.sessions]
    return steps[used[0] : used[-1] + 1] if used else ()


def _shares(steps: list[Step]) -> list[tuple[float, float]]:
    """Of the sessions and of the money; a sum that fell has none."""
    sessions, spent = sum(one.sessions for one in steps), sum(max(one.microusd, 0) for one in steps)
    return [(one.sessions / sessions, max(one.microusd, 0) / max(spent, 1)) for one in steps]


def _bars(steps: list[Step], shares: list[tuple[float, float]], top: float) -> Iterable[Bars]:
    slot, plot = 100 / max(len(steps), FEWEST_SLOTS), PLOT_BOTTOM - PLOT_TOP
    width = slot * BAR_SHARE
    for number, (step, heights) in enumerate(zip(steps, shares, strict=True)):
        middle = (number + 0.5) * slot
        of_sessions, of_spend = (min(height / top, 1) * plot for height in heights)
        yield Bars(
            step,
            round(middle - width, 3),
            round(width, 3),
            round(middle, 3),
            round(PLOT_BOTTOM - of_sessions, 3),
            round(of_sessions, 3),
            round(PLOT_BOTTOM - of_spend, 3),
            round(of_spend, 3),
            number % 2 == 1,
        )
