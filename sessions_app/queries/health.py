"""Is the floor fit for use?  Each part with `ok` and what it is judged by."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from sessions_app.models import Account
from sessions_app.queries.machinery import machinery
from sessions_app.queries.shortage import shortage_of

STALE_AFTER = timedelta(seconds=90)
"""A sweep comes every few seconds, and at most a minute later after failures."""
FIRST_MINUTE_S = 60.0
STARTED = time.monotonic()

type Part = dict[str, Any]


def parts(now: datetime | None = None, up_for_s: float | None = None) -> dict[str, Part]:
    """`database`, `broker` and `polling`.  Never raises, and takes a few seconds at the very most."""
    up_for_s = time.monotonic() - STARTED if up_for_s is None else up_for_s
    database = _database()
    return {
        "database": database,
        "broker": _broker(),
        "polling": _polling(now or timezone.now(), up_for_s) if database["ok"] else _unknown(),
    }


def _database() -> Part:
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return {"ok": False, "vendor": connection.vendor, "error": type(error).__name__}
    return {"ok": True, "vendor": connection.vendor, "took_ms": round((time.monotonic() - began) * 1000, 1)}


def _broker() -> Part:
    found = machinery()
    if found.error:
        return {"ok": False, "error": found.error, "took_ms": found.took_ms}
    return {
        "ok": True,
        "took_ms": found.took_ms,
        "queues": {queue.name: queue.waiting for queue in found.queues},
        "canary_age_s": {
            queue.name: None if queue.canary_age_s is None else round(queue.canary_age_s, 1)
            for queue in found.queues
            if queue.has_canary
        },
    }


def _unknown() -> Part:
    return {"ok": False, "error": "cannot be known without the database"}


def _polling(now: datetime, up_for_s: float) -> Part:
    """Fit when every active account was read lately; a floor that has only just started gets a minute for it."""
    try:
        accounts = [_account(account, now) for account in Account.objects.filter(is_active=True)]
    except DatabaseError as error:
        return {"ok": False, "error": type(error).__name__}
    if not accounts:
        return {"ok": False, "error": "no active account", "accounts": []}
    starting = up_for_s < FIRST_MINUTE_S
    ok = all(account["ok"] for account in accounts)
    return {"ok": ok or starting, **({"starting": True} if starting and not ok else {}), "accounts": accounts}


def _account(account: Account, now: datetime) -> Part:
    age = now - account.last_read_at if account.last_read_at else None
    part: Part = {
        "name": account.name,
        "ok": age is not None and age <= STALE_AFTER,
        "age_s": None if age is None else round(max(0.0, age.total_seconds()), 1),
    }
    if short := shortage_of(account, now):
        part["shortage"] = {
            "words": short.words,
            "needed_per_s": short.needed_per_s,
            "budget_per_s": short.budget_per_s,
            "ages_s": {one.words: one.age_s for one in short.late},
            "paused_until": short.paused_until,
        }
    return part | ({"failures": account.failures, "error": account.error} if account.failures else {})
