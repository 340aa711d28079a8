"""Goal 5: one change, five hundred viewers.  CPU of the serving process per change and viewer, over real sockets."""

import asyncio
from collections.abc import Iterator
from statistics import median

from bench.harness import ROUNDS, Row, below, within
from bench.push_house import PAUSE_S, ROW, Side, change, furnish, open_viewers, server, until
from sessions_app.models import AgentSession

VIEWERS = 500
CHANGES = {"hub": 8, "raw": 8, "each": 1}


def rows(database: str) -> Iterator[Row]:
    sides = asyncio.run(_measure())
    costs = {name: median(side) * 1e6 for name, side in sides.items()}
    number = f"{costs['hub']:.1f} µs CPU"
    yield within(
        5, f"push, {VIEWERS} viewers, raw write {costs['raw']:.1f} µs", number, costs["hub"] / costs["raw"], 2
    )
    what = f"push, {VIEWERS} viewers, rendering for each {costs['each']:.0f} µs"
    yield below(5, what, number, costs["each"] / costs["hub"], 25)
    yield Row(
        5, f"push, {VIEWERS} viewers, django-eventstream", number, None, "≥ 4×", None, "not measured yet"
    )


async def _measure() -> dict[str, list[float]]:
    given = await asyncio.to_thread(furnish)
    with server("hub") as hub, server("raw") as raw, server("each") as each:
        for side in (hub, raw, each):
            await open_viewers(side, given, VIEWERS)
        for number in range(ROUNDS + 1):
            for side in (hub, raw, each):
                cost = await _cost_of_changes(side, given.sessions)
                if number:
                    side.costs.append(cost)
        return {side.kind: side.costs for side in (hub, raw, each)}


async def _cost_of_changes(side: Side, sessions: list[AgentSession]) -> float:
    """Seconds of CPU per change and viewer.  Every viewer must have got every change."""
    changes = CHANGES[side.kind]
    reading = asyncio.gather(*(until(reader, ROW, changes) for reader, _ in side.viewers))
    began = side.cpu_s()
    for number in range(changes):
        await asyncio.to_thread(change, sessions[number % len(sessions)])
        await asyncio.sleep(PAUSE_S)
    async with asyncio.timeout(60):
        await reading
    return (side.cpu_s() - began) / changes / VIEWERS
