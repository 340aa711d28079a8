"""Goal 8: bytes for one viewer of fifty rows, of a thousand that change fifty times a second: pushed, and polled."""

import asyncio
import random
import time
from collections.abc import Iterator

from django.conf import settings

from bench.harness import Row
from bench.push_house import Furniture, Side, change, furnish, open_viewers, server
from sessions_app.queries import recent

SESSIONS, SHOWN, PER_SECOND, SECONDS, POLL_S = 1_000, 50, 50, 20.0, 2.0


def rows(database: str) -> Iterator[Row]:
    settings.ALLOWED_HOSTS = ["testserver"]
    recent.KEPT_S = 0
    given = furnish(SESSIONS, SHOWN)
    page = len(given.client.get("/", headers={"Accept-Encoding": "gzip"}).content)
    pushed = asyncio.run(_pushed(given)) / SECONDS * 60
    polled = page * 60 / POLL_S
    what = f"bytes a minute, {SHOWN} of {SESSIONS:,} rows, page each {POLL_S:g} s, gzipped, {polled / 1000:,.0f} KB"
    yield Row(8, what, f"{pushed / 1000:,.0f} KB", pushed / polled, "≤ 0.33×", pushed <= polled / 3)


async def _pushed(given: Furniture) -> int:
    """Bytes that came to the viewer while the changes were made."""
    with server("hub") as hub:
        await open_viewers(hub, given, 1, "Accept-Encoding: gzip\r\n")
        counting = asyncio.create_task(_count(hub))
        await asyncio.to_thread(_change_for_a_while, given)
        await asyncio.sleep(1)
        counting.cancel()
        return sum(SIZES)


SIZES: list[int] = []


async def _count(side: Side) -> None:
    ((reader, _),) = side.viewers
    while chunk := await reader.read(65536):
        SIZES.append(len(chunk))


def _change_for_a_while(given: Furniture) -> None:
    """Evenly spread over all sessions."""
    dice, began = random.Random(8), time.monotonic()
    for number in range(int(PER_SECOND * SECONDS)):
        change(dice.choice(given.sessions))
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
