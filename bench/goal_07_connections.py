"""Goal 7: what an open connection costs in memory, and whether ten thousand of them hear of a change."""

import asyncio
import os
import resource
from collections.abc import Iterator
from pathlib import Path

from bench.harness import Row
from bench.push_house import ROW, Side, change, furnish, open_viewers, server, until, until_idle

CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "10000"))
AT_A_TIME = 500
GOAL_KIB = 15.0


def rows(database: str) -> Iterator[Row]:
    heard, kib = asyncio.run(_measure())
    what = f"connections, {CONNECTIONS:,} open"
    yield Row(7, f"{what}, heard of a change", f"{heard:,}", heard / CONNECTIONS, "all", heard == CONNECTIONS)
    yield Row(
        7, f"{what}, memory each", f"{kib:.1f} KiB", kib / GOAL_KIB, f"≤ {GOAL_KIB:g} KiB", kib <= GOAL_KIB
    )


async def _measure() -> tuple[int, float]:
    """How many heard of one change, and KiB of the serving process for each."""
    _allow(2 * CONNECTIONS)
    given = await asyncio.to_thread(furnish)
    with server("hub") as hub:
        await open_viewers(hub, given, AT_A_TIME)
        before = _rss_kib(hub)
        for _ in range(AT_A_TIME, CONNECTIONS, AT_A_TIME):
            await open_viewers(hub, given, AT_A_TIME)
        await until_idle(hub)
        kib = (_rss_kib(hub) - before) / (len(hub.viewers) - AT_A_TIME)
        hearing = [asyncio.create_task(until(reader, ROW, 1)) for reader, _ in hub.viewers]
        await asyncio.to_thread(change, given.sessions[0])
        done, late = await asyncio.wait(hearing, timeout=60)
        for task in late:
            task.cancel()
        return sum(task.exception() is None for task in done), kib


def _allow(files: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def _rss_kib(side: Side) -> int:
    lines = Path(f"/proc/{side.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
