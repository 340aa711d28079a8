"""Goal 11: what Celery costs beside the sweeps it carries.

The whole way of a task, in one process and thread: published to a real broker, taken from it, run, acknowledged.  The
worker is Celery's own (`solo`), the sweep is the product's, over HTTP against a vendor of 10,000 sessions.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from celery import shared_task
from celery.contrib.testing.worker import start_worker

from bench.goal_01_sweep import PAGES
from bench.harness import CPU, Row, medians, within
from bench.vendor import running_vendor
from dashboard.celery import app
from sessions_app.models import Account
from sessions_app.polling import turns
from sessions_app.polling.cycle import Cycle

TASKS = 200
"""Empty ones, for the cost of one; a single one is too little to be measured."""
ACCOUNTS = 20


@shared_task
def nothing() -> None:
    """An empty task: what remains is Celery."""


def rows(database: str) -> Iterator[Row]:
    yield _tasks_per_sweep()
    yield _share()


def _share() -> Row:
    """CPU of one task, against the CPU of the sweep that one task carries: the product has one per tick, not more."""
    with running_vendor() as vendor, _worker():
        account = Account.objects.create(slug="bench", name="Bench", base_url=vendor.base_url, api_key="k")
        seconds = medians({"tasks": _empty_tasks, "sweep": _sweep_of(account)}, CPU)
    share = seconds["tasks"] / TASKS / seconds["sweep"]
    what = f"Celery per sweep of {PAGES * 100:,} sessions, unchanged, {seconds['sweep'] * 1e3:,.0f} ms CPU"
    return within(11, what, f"{seconds['tasks'] / TASKS * 1e3:.2f} ms CPU per task", share, 0.05)


def _sweep_of(account: Account) -> Callable[[], None]:
    def sweep() -> None:
        for first in range(1, PAGES + 1, 20):
            cycle = Cycle(account)
            cycle.read_pages(range(first, first + 20))
            assert len(cycle.pages) == 20, "the budget does not hold it up"

    return sweep


def _empty_tasks() -> None:
    for _ in range(TASKS):
        nothing.apply_async(queue="bench", ignore_result=True)
    _drained()


def _drained() -> None:
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        while channel.client.llen("bench") or channel.client.hlen("unacked"):
            time.sleep(0.01)


@contextmanager
def _worker() -> Iterator[None]:
    with start_worker(app, pool="solo", queues=["bench"], perform_ping_check=False, shutdown_timeout=30):
        yield


def _tasks_per_sweep() -> Row:
    """One task sweeps everybody who is due: counted on the real `turns`."""
    for number in range(ACCOUNTS):
        Account.objects.create(slug=f"a{number}", name="A", base_url="http://127.0.0.1:9", api_key="k")
    swept = turns.sweep_due_accounts()
    what = f"tasks per round of {ACCOUNTS} accounts that are due ({swept} swept)"
    return Row(11, what, "1 task", 1 / max(1, swept), "≤ accounts", swept == ACCOUNTS)
