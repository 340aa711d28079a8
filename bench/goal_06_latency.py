"""Goal 6: from a change to the browsers, five hundred viewers: against a raw write, and while the poller sweeps.

A change is written and published here; every viewer's moment of arrival is noted.  Both sides share the client's part.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.ages import percentile
from bench.harness import Row, within
from bench.push_house import PAUSE_S, ROW, Furniture, Side, change, furnish, open_viewers, server, until
from bench.vendor import running_vendor
from sessions_app.models import Account

FEWER, VIEWERS, CHANGES, ROUNDS = (10, 100), 500, 12, 3


def rows(database: str) -> Iterator[Row]:
    given = furnish()
    for viewers in FEWER:
        yield asyncio.run(_of_fewer(given, viewers))
    found = asyncio.run(_measure(given))
    p50 = {name: percentile(values, 0.5) * 1000 for name, values in found.items()}
    p99 = {name: percentile(values, 0.99) * 1000 for name, values in found.items()}
    number = f"p50 / p99 {p50['hub']:.0f} / {p99['hub']:.0f} ms"
    what = f"latency, {VIEWERS} viewers, raw write p50 / p99 {p50['raw']:.0f} / {p99['raw']:.0f} ms"
    yield within(6, what, number, p99["hub"] / p99["raw"], 2)
    swept = f"p50 / p99 {p50['swept']:.0f} / {p99['swept']:.0f} ms"
    yield within(
        6, f"latency, {VIEWERS} viewers, while ten thousand are swept", swept, p99["swept"] / p99["hub"], 1.3
    )


async def _of_fewer(given: Furniture, viewers: int) -> Row:
    p99 = {}
    for kind in ("raw", "hub"):
        with server(kind) as side:
            p99[kind] = percentile(await _settled(side, given, viewers), 0.99) * 1000
    what = f"latency, {viewers} viewers, raw write p99 {p99['raw']:.0f} ms"
    return Row(6, what, f"p99 {p99['hub']:.0f} ms", p99["hub"] / p99["raw"], "", None)


async def _measure(given: Furniture) -> dict[str, list[float]]:
    """One server at a time: both would hear of every change, and the other one's writes be in the way."""
    found: dict[str, list[float]] = {"raw": [], "hub": [], "swept": []}
    with running_vendor() as vendor:
        for _ in range(ROUNDS):
            with server("raw") as raw:
                found["raw"] += await _settled(raw, given)
            with server("hub") as hub:
                found["hub"] += await _settled(hub, given)
                with _sweeping(vendor.base_url):
                    await asyncio.sleep(3)  # it has begun
                    found["swept"] += await _latencies(hub, given)
    return found


async def _settled(side: Side, given: Furniture, viewers: int = VIEWERS) -> list[float]:
    """The first turn does not count: that one renders, and connects."""
    await open_viewers(side, given, viewers)
    await _latencies(side, given)
    return await _latencies(side, given)


async def _latencies(side: Side, given: Furniture) -> list[float]:
    """Seconds, of each change at each viewer."""
    found = []
    for number in range(CHANGES):
        began = time.perf_counter()
        arriving = [asyncio.create_task(_arrival(reader)) for reader, _ in side.viewers]
        await asyncio.to_thread(change, given.sessions[number % len(given.sessions)])
        async with asyncio.timeout(60):
            found += [at - began for at in await asyncio.gather(*arriving)]
        await asyncio.sleep(PAUSE_S)
    return found


async def _arrival(reader: asyncio.StreamReader) -> float:
    await until(reader, ROW, 1)
    return time.perf_counter()


@contextmanager
def _sweeping(base_url: str) -> Iterator[None]:
    """Another process reads ten thousand sessions again and again, each with another worker's speed."""
    command = [sys.executable, "-m", "bench.goal_06_latency", base_url, str(os.getpid())]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.kill()


def _sweep_forever(base_url: str, parent: int) -> None:
    from bench.goal_01_sweep import PAGES
    from sessions_app.polling.cycle import Cycle

    defaults = {"name": "Swept", "base_url": base_url, "api_key": "k"}
    account, _ = Account.objects.get_or_create(slug="swept", defaults=defaults)
    while os.getppid() == parent:
        Cycle(account).read_pages(range(1, PAGES + 1))
        time.sleep(1.8)


if __name__ == "__main__":
    _sweep_forever(sys.argv[1], int(sys.argv[2]))
