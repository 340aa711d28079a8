"""The first import of a large account: how long it takes, whether it goes on after a kill -9, and how old what is live
gets meanwhile.

A real worker, beat and the fast lane against the simulator, whose list is IMPORT_SESSIONS long (20,000 unless set; the
issue asks for 100,000), a thousand of them alive.  In the middle the only worker is shot, and another one started.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

from django.db import connections

from bench.ages import percentile
from bench.harness import Row
from bench.processes import Vendor, choices, kill, numbered, running, running_vendor, start
from dashboard.processes.programs import beat, workers
from sessions_app.models import Account, AgentSession
from sessions_app.rules.freshness import TARGET_S, Care

GOAL = "import"
LISTED = int(os.environ.get("IMPORT_SESSIONS", "20000"))
PER_SECOND = float(os.environ.get("IMPORT_PER_SECOND", "0"))
"""The vendor's limit; 0 for none."""
FLOOR = 1540
"""Of which a thousand live; the simulator gives them three times as many older ones."""
SAMPLE_S, LONGEST_S = 0.5, 3600.0


class Seen(NamedTuple):
    """One look: seconds since the beginning, the page that the import has come to, and ages of what runs and has been
    come upon."""

    at_s: float
    page: int
    ages: list[float]


def rows(database: str) -> Iterator[Row]:
    with ExitStack() as stack:
        vendor = stack.enter_context(running_vendor(FLOOR, max(0, LISTED - 4 * FLOOR)))
        if PER_SECOND:
            vendor.limit(PER_SECOND)
        account = Account.objects.create(
            slug="bench", name="Bench", base_url=f"{vendor.origin}/api/v3", api_key="bu_simulator"
        )
        poller, _, _ = workers(choices())
        stack.enter_context(running(beat()))
        first = start(numbered(poller, 1))
        stack.callback(lambda: kill(first))
        began = time.monotonic()
        before = list(_looks(vendor, account, began, until_page=LISTED // 200))
        kill(first)
        stopped_at = _page(account)
        stack.enter_context(running(numbered(poller, 2)))
        after = list(_looks(vendor, account, began, until_page=None))
        listed = vendor.told()["listed"]
    yield from _rows(database, before, after, stopped_at, listed)


def _looks(vendor: Vendor, account: Account, began: float, until_page: int | None) -> Iterator[Seen]:
    """Until the import has come to that page, or to its end."""
    while True:
        connections.close_all()
        page, told = _page(account), vendor.told()["ages"]
        now_s = time.monotonic() - began
        yield Seen(now_s, page, [age for care, _, age, is_known in told if is_known and care == Care.RUNNING])
        done = Account.objects.get(pk=account.pk).reconciled_at
        if done or (until_page and page >= until_page):
            return
        if now_s > LONGEST_S:
            raise TimeoutError("the import does not end")
        time.sleep(SAMPLE_S)


def _page(account: Account) -> int:
    return Account.objects.get(pk=account.pk).reconcile_page


def _rows(
    database: str, before: list[Seen], after: list[Seen], stopped_at: int, listed: int
) -> Iterator[Row]:
    have, took = AgentSession.objects.count(), after[-1].at_s
    what = f"{listed:,} sessions imported, {database}, shot at page {stopped_at:,} of {listed // 100 + 1:,}"
    number = f"{took:,.0f} s, {have / took:,.0f}/s"
    # Some are born while the last pages are read: those are the next sweep's.
    yield Row(GOAL, what, number, have / listed, "all", have >= LISTED)
    resumed = min((one.page for one in after if one.page > 1), default=stopped_at)
    yield Row(
        GOAL,
        f"{database}, goes on where it was",
        f"at page {resumed:,}",
        None,
        f"≥ {stopped_at:,}",
        resumed >= stopped_at,
    )
    steps = len({one.page for one in before + after})
    yield Row(GOAL, f"{database}, progress was seen", f"{steps} times", None, "≥ 5", steps >= 5)
    yield _age_row(f"{database}, running, while it is imported", [one for one in before if one.page > 1])
    killed = after[0].at_s + 10
    calm = [one for one in after if one.at_s > killed]
    if calm:
        yield _age_row(f"{database}, running, later than 10 s after the kill", calm)


def _age_row(what: str, looks: list[Seen]) -> Row:
    ages, target = [age for one in looks for age in one.ages], TARGET_S[Care.RUNNING]
    p50, p95, p99 = (percentile(ages, part) for part in (0.5, 0.95, 0.99))
    number = f"{p50:.1f} / {p95:.1f} / {p99:.1f} s"
    return Row(GOAL, f"p50 / p95 / p99, {what}", number, p99 / target, f"≤ {target:g} s", p99 <= target)
