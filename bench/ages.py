"""How old living sessions get: 1,000 of them, two workers, ten requests a second; and while one worker is killed.

Real Celery workers and beat against the simulator, which notes itself when it last handed out each session.  The
issue asks for ten minutes; here each phase is some seconds, after the budget has been learned, unless AGES_SECONDS says
how long the steady one is to be.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack

from django.db import connections

from bench.harness import Row
from bench.processes import Vendor, choices, kill, numbered, running, running_vendor, start
from dashboard.processes.programs import beat, workers
from sessions_app.live import watching
from sessions_app.live.connection import client
from sessions_app.models import Account, AgentSession
from sessions_app.polling.sweep import sweep
from sessions_app.rules.freshness import TARGET_S, Care
from sessions_app.upstream.budget import key_of

GOAL = "ages"
SESSIONS = 1540
"""Of which two thirds live: a thousand."""
PER_SECOND = 10
OPENED = 2
WARM_S, KILLED_S, DEAD_S = 20.0, 10.0, 4.0
JUST_OPENED_S = 2.0
STEADY_S = float(os.environ.get("AGES_SECONDS", "45"))
SAMPLE_S = 0.25

type Ages = dict[tuple[Care, bool], list[float]]
"""By care, and by whether the vendor forbade to ask at that moment, or had until a second ago."""


def rows(database: str) -> Iterator[Row]:
    with ExitStack() as stack:
        vendor = stack.enter_context(running_vendor(SESSIONS))
        account = _imported(vendor)
        vendor.limit(PER_SECOND)
        connections.close_all()
        stack.enter_context(running(beat()))
        poller, watcher, _ = workers(choices())
        stack.enter_context(running(watcher))
        stack.enter_context(running(numbered(poller, 1)))
        second = start(numbered(poller, 2))
        stack.callback(lambda: kill(second))
        _wait_for_the_workers(vendor)
        _watch(vendor, _opened(account), WARM_S)
        opened = _reopened(vendor, account)
        before = vendor.told()["answered"]
        steady = _watch(vendor, opened, STEADY_S)
        after = vendor.told()["answered"]
        opened = _reopened(vendor, account)
        kill(second)
        killed = _watch(vendor, opened, DEAD_S)
        stack.enter_context(running(numbered(poller, 2)))
        for kind, ages in _watch(vendor, opened, KILLED_S - DEAD_S).items():
            killed[kind] += ages
    yield from _rows(database, "", steady)
    yield from _rows(database, ", a worker killed and restarted", killed)
    yield _spent(database, before, after)


def _rows(database: str, when: str, ages: Ages) -> Iterator[Row]:
    for care in (Care.OPENED, Care.RUNNING, Care.RESTING):
        yield _row(
            care, f"{database}, 1,000 live, {PER_SECOND}/s{when}", ages[care, False] + ages[care, True]
        )
    yield _row(Care.OPENED, f"{database}{when}, while the vendor had not said 429", ages[Care.OPENED, False])


def _row(care: Care, when: str, ages: list[float]) -> Row:
    p50, p95, p99 = (percentile(ages, part) for part in (0.5, 0.95, 0.99))
    number, target = f"{p50:.2f} / {p95:.2f} / {p99:.2f} s", TARGET_S[care]
    return Row(
        GOAL, f"p50 / p95 / p99, {care}, {when}", number, p99 / target, f"≤ {target:g} s", p99 <= target
    )


def _spent(database: str, before: dict[str, int], after: dict[str, int]) -> Row:
    asked, refused = (after.get(what, 0) - before.get(what, 0) for what in ("asked", "refused"))
    number = f"{asked / STEADY_S:.1f} requests/s"
    return Row(
        GOAL,
        f"asked, {database}; refused: {refused}",
        number,
        None,
        f"≤ {PER_SECOND}/s",
        asked <= PER_SECOND * STEADY_S,
    )


def _wait_for_the_workers(vendor: Vendor) -> None:
    """Python starts for some seconds."""
    asked, until = vendor.told()["answered"]["asked"], time.monotonic() + 60
    while vendor.told()["answered"]["asked"] == asked:
        if time.monotonic() > until:
            raise TimeoutError("no worker ever asked")
        time.sleep(0.1)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def _watch(vendor: Vendor, opened: dict[str, int], seconds: float) -> Ages:
    """Ages as the vendor knows them, four times a second; somebody has `opened` open all the while."""
    found: Ages = defaultdict(list)
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        watching.note(opened.values())
        told = vendor.told()
        held = told["closed_for"] > -TARGET_S[Care.OPENED]
        for care, uuid, age, _ in told["ages"]:
            found[Care.OPENED if uuid in opened else Care(care), held].append(age)
        time.sleep(max(0.0, SAMPLE_S - (time.monotonic() - now)))
    return found


def _imported(vendor: Vendor) -> Account:
    """The whole list once, without a limit; then the budget is forgotten, as if nobody had ever asked."""
    account = Account.objects.create(
        slug="bench", name="Bench", base_url=f"{vendor.origin}/api/v3", api_key="bu_simulator"
    )
    while account.reconciled_at is None:
        sweep(account)
        account.refresh_from_db()
    client().delete(key_of(account.pk))
    return account


def _reopened(vendor: Vendor, account: Account) -> dict[str, int]:
    """Two that are still running, once they are read as closely as that asks for."""
    opened = _opened(account)
    _watch(vendor, opened, JUST_OPENED_S)
    return opened


def _opened(account: Account) -> dict[str, int]:
    running = AgentSession.objects.filter(account=account, status="running").order_by("-created_at")
    return {str(uuid): pk for pk, uuid in running.values_list("pk", "uuid")[:OPENED]}
