"""Goal 1: the whole sweep of ten thousand sessions over HTTP, a tenth of them changed.  CPU of the reading process."""

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import batched

import httpx
from browser_use_sdk.v3 import BrowserUse
from django.db import transaction

from bench import naive
from bench.harness import Row, below, medians, within
from bench.replies import PAGE, SESSIONS
from bench.vendor import Vendor, running_vendor
from sessions_app.models import Account, AgentSession
from sessions_app.polling import records
from sessions_app.polling.cycle import Cycle
from sessions_app.queries import rows as rendering
from sessions_app.types import Sight

PAGES = SESSIONS // PAGE
OFFICIAL_PAGES = 5
SHOWN = 50
"""Rows on somebody's screen: those are rendered again when they changed."""


def rows(database: str) -> Iterator[Row]:
    with running_vendor() as vendor:
        account = Account.objects.create(slug="bench", name="Bench", base_url=vendor.base_url, api_key="k")
        sweep = _ours(account)
        sweep()
        sides = {
            "fetch": lambda: asyncio.run(_fetch(vendor.base_url)),
            "official": _official(account, vendor),
            "unchanged": sweep,
            "changed": _after_a_change(vendor, sweep),
            "bookings": _bookings(account),
        }
        seconds = medians(sides)
    official = seconds["official"] * PAGES / OFFICIAL_PAGES
    fetch, changed, unchanged = (seconds[name] for name in ("fetch", "changed", "unchanged"))
    number = f"{changed:.2f} s CPU"
    what = f"sweep, {database}, official list + update_or_create {official:.1f} s (measured on 500)"
    yield below(1, what, number, official / changed, 40)
    yield within(1, f"sweep, {database}, httpx fetch only {fetch:.2f} s", number, changed / fetch, 4)
    yield within(
        1,
        f"sweep, {database}, nothing changed, httpx fetch only",
        f"{unchanged:.2f} s CPU",
        unchanged / fetch,
        2,
    )
    bookings = seconds["bookings"]
    what = f"sweep, {database}, what booking the costs of a tenth takes of it"
    yield within(1, what, f"{bookings * 1000:.0f} ms CPU", bookings / changed, 0.1)


def _ours(account: Account) -> Callable[[], None]:
    def sweep() -> None:
        for first in range(1, PAGES + 1, 20):  # in pieces, as the reading of a whole list goes
            Cycle(account).read_pages(range(first, first + 20))
        shown = AgentSession.objects.filter(account=account).values_list("pk", "version")[:SHOWN]
        rendering.rendered_versions(dict(shown), Sight(see_costs=True))

    return sweep


def _bookings(account: Account) -> Callable[[], None]:
    """The bookings of one sweep by themselves: of each page a tenth.  Their transactions are those of the snapshots."""
    pks = AgentSession.objects.filter(account=account).values_list("pk", flat=True)[: SESSIONS // 10]
    hour = int(time.time() // 3600)
    rows = [(pk, hour, 40, 10, 10, 60, 0) for pk in pks]

    def book() -> None:
        with transaction.atomic():
            for page in batched(rows, PAGE // 10, strict=True):
                records.book(page)

    return book


def _after_a_change(vendor: Vendor, sweep: Callable[[], None]) -> Callable[[], None]:
    def changed() -> None:
        vendor.move_on()
        sweep()

    return changed


def _official(account: Account, vendor: Vendor) -> Callable[[], None]:
    client = BrowserUse(api_key="k", base_url=vendor.base_url)

    def sweep() -> None:
        for page in range(1, OFFICIAL_PAGES + 1):
            naive.update_or_create(account, client.sessions.list(page=page, page_size=PAGE).sessions)

    return sweep


async def _fetch(base_url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for first in range(1, PAGES + 1, 4):
            await asyncio.gather(
                *(
                    client.get(f"{base_url}/sessions", params={"page": p, "page_size": PAGE})
                    for p in range(first, first + 4)
                )
            )
