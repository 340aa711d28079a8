"""Measuring: two or more sides in one process, taking turns, five rounds, medians."""

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple

ROUNDS = 5

Side = Callable[[], object]
Clock = Callable[[], float]
CPU: Clock = time.process_time
WALL: Clock = time.perf_counter


class Row(NamedTuple):
    """A line of the report.  `met` is None when nothing was measured; `why` then says what is missing."""

    goal: int | str
    what: str
    number: str
    ratio: float | None
    wanted: str
    met: bool | None
    why: str = ""


def medians(
    sides: Mapping[str, Side], clock: Clock = CPU, rounds: int = ROUNDS, settle: Side = gc.collect
) -> dict[str, float]:
    """Seconds per call of each side.  One round unmeasured first; then turn by turn, so that noise hits all alike.

    `settle` is called before each turn, unmeasured: what one side left undone is not another one's to pay.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            settle()
            began = clock()
            side()
            if number:
                seconds[name].append(clock() - began)
    return {name: median(values) for name, values in seconds.items()}


def below(goal: int, what: str, number: str, ratio: float, times: float) -> Row:
    """We must be at least so many times below the other side."""
    return Row(goal, what, number, ratio, f"≥ {times:g}×", ratio >= times)


def within(goal: int, what: str, number: str, ratio: float, times: float) -> Row:
    """We may be at most so many times above the other side."""
    return Row(goal, what, number, ratio, f"≤ {times:g}×", ratio <= times)
