"""Goal 5: one change, many viewers.  CPU of the serving process per change and viewer, over real sockets.

django-eventstream is a side as well where it is installed (`pip install django-eventstream`): six packages that
nothing else here needs.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from statistics import median

from bench.harness import ROUNDS, Row, below, within
from bench.push_house import (
    PAUSE_S,
    ROW,
    Furniture,
    Side,
    change,
    furnish,
    open_viewers,
    page_request,
    server,
    until,
)
from sessions_app.models import AgentSession

FEWER, VIEWERS = (10, 100), 500
CHANGES = {"hub": 8, "raw": 8, "each": 1, "library": 8}
FETCHES = 100


def rows(database: str) -> Iterator[Row]:
    given = furnish()
    fetched = asyncio.run(_cost_of_a_fetch(given))
    for viewers in FEWER:
        costs = asyncio.run(_measure(given, ["hub", "raw"], viewers))
        what, number = (
            f"push, {viewers} viewers, raw write {costs['raw']:.1f} µs",
            f"{costs['hub']:.1f} µs CPU",
        )
        yield Row(5, what, number, costs["hub"] / costs["raw"], "", None)
        yield _against_polling(viewers, fetched, costs["hub"])
    library = ["library"] if find_spec("django_eventstream") else []
    costs = asyncio.run(_measure(given, ["hub", "raw", "each", *library], VIEWERS))
    number = f"{costs['hub']:.1f} µs CPU"
    what = f"push, {VIEWERS} viewers, raw write {costs['raw']:.1f} µs"
    yield within(5, what, number, costs["hub"] / costs["raw"], 2)
    yield _against_polling(VIEWERS, fetched, costs["hub"])
    what = f"push, {VIEWERS} viewers, rendering for each {costs['each']:.0f} µs"
    yield below(5, what, number, costs["each"] / costs["hub"], 25)
    what = f"push, {VIEWERS} viewers, django-eventstream"
    if library:
        yield below(5, f"{what} {costs['library']:.1f} µs", number, costs["library"] / costs["hub"], 4)
    else:
        yield Row(5, what, number, None, "≥ 4×", None, "pip install django-eventstream")


def _against_polling(viewers: int, fetched: float, pushed: float) -> Row:
    """Whoever polls fetches the page at least once for a change, and mostly for none."""
    what = f"push, {viewers} viewers, the page fetched anew {fetched:,.0f} µs"
    return Row(5, what, f"{pushed:.1f} µs CPU", fetched / pushed, "", None)


async def _cost_of_a_fetch(given: Furniture) -> float:
    """µs of CPU of the web process, its rows kept from the time before."""
    with server("page") as side:
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port, limit=2**22)
        costs = []
        for _ in range(ROUNDS + 1):
            began = side.cpu_s()
            for _ in range(FETCHES):
                writer.write(page_request(given))
                await until(reader, b"</html>", 1)
            costs.append((side.cpu_s() - began) / FETCHES * 1e6)
        return median(costs[1:])


async def _measure(given: Furniture, kinds: Sequence[str], viewers: int) -> dict[str, float]:
    """µs per change and viewer of each side, in turns."""
    with ExitStack() as stack:
        sides = [stack.enter_context(server(kind)) for kind in kinds]
        for side in sides:
            await open_viewers(side, given, viewers)
        for number in range(ROUNDS + 1):
            for side in sides:
                cost = await _cost_of_changes(side, given.sessions)
                if number:
                    side.costs.append(cost)
        return {side.kind: median(side.costs) * 1e6 for side in sides}


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
    return (side.cpu_s() - began) / changes / len(side.viewers)
