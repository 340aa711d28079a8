"""Everybody's turn: whoever is due is swept, several accounts side by side, until none is due."""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress

from django.db import DatabaseError, connections
from django.utils import timezone

from sessions_app.models import Account
from sessions_app.polling import schedule
from sessions_app.polling.sweep import sweep

log = logging.getLogger(__name__)

LONGEST_S = 15.0
"""Then the next tick goes on: a task must be over long before its time limit."""
TICK_S = 1.0
AT_ONCE = 8
KEPT_FOR_THE_WELL = 2
"""Places that accounts which failed last time never take: twenty that hang leave room for one that does not."""
LOOK_AGAIN_S = 0.2
"""While others are still being read, accounts become due."""


def sweep_due_accounts(stay_s: float = 0.0) -> int:
    """Sweep whoever is due and not being swept; one that hangs delays no other.  Returns how many.

    It stays for so long, and takes whoever becomes due meanwhile: a tick that comes a moment too early would cost an
    account a whole one, and make its sessions a third older than they need be.
    """
    began = time.monotonic()
    until, swept = began + LONGEST_S, 0
    under_way: dict[Future[bool], Account] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sweep") as threads:
        while under_way or time.monotonic() < until:
            if account := _next(under_way, until):
                under_way[threads.submit(_sweep, account)] = account
                swept += 1
            elif under_way:
                done = wait(under_way, timeout=LOOK_AGAIN_S, return_when=FIRST_COMPLETED).done
                under_way = {future: one for future, one in under_way.items() if future not in done}
                _keep(under_way.values())
            elif time.monotonic() + LOOK_AGAIN_S < began + stay_s:
                time.sleep(LOOK_AGAIN_S)
            else:
                break
    return swept


def _keep(accounts: Iterable[Account]) -> None:
    """Their sweeps wait for an answer, perhaps for longer than a lease lasts.  Who lost one finds out by itself."""
    for account in accounts:
        with suppress(schedule.LeaseLost, DatabaseError):
            schedule.extend(account)


def _next(under_way: dict[Future[bool], Account], until: float) -> Account | None:
    """The next account that is due, as far as there is a place and time for it."""
    if len(under_way) >= AT_ONCE or time.monotonic() >= until:
        return None
    ailing = sum(account.failures > 0 for account in under_way.values())
    return schedule.claim_next(timezone.now(), well_only=ailing >= AT_ONCE - KEPT_FOR_THE_WELL)


def _sweep(account: Account) -> bool:
    """In a thread, which gives its database connection back."""
    try:
        return sweep(account)
    except Exception:
        log.exception("account %s: the sweep broke, and could not even say so", account.slug)
        return False
    finally:
        connections.close_all()
