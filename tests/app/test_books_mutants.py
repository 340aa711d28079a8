"""Mistakes that somebody could make in booking, planted one at a time: the day's figures catch each of them."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import time_machine as machine
from django.db import IntegrityError
from django.db.models import Q

from sessions_app.costs import bookkeeper, columns, ledger, selection
from sessions_app.costs.books import disagreement, first_disagreement
from sessions_app.models import CostHour
from sessions_app.polling import ingest, records, writer
from sessions_app.polling.ingest import apply_answers
from sessions_app.rules import changes
from sessions_app.types import Answer
from tests.app.test_ledger import agrees, asked
from tests.support.factories import make_account
from tests.support.spending import NOW, reading

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MINUTE = timedelta(minutes=1)
MIDNIGHT = NOW.replace(hour=0, minute=0)
ONE, OTHER = UUID(int=1), UUID(int=2)

DAY = (
    # session, minutes from midnight on, its total, what else is said
    (ONE, -70, 100, {}),
    (ONE, -10, 700, {}),
    (OTHER, -5, 50, {"model": "b"}),
    (ONE, 3, 1_000, {}),
    (ONE, 3, 1_000, {}),  # the very same answer again
    (ONE, -9, 720, {}),  # late: from before what is known
    (OTHER, 20, None, {"model": "b"}),  # no cost said: nothing fell to zero
    (OTHER, 30, 40, {"model": "b"}),  # it fell
    (ONE, 40, 1_000, {"status": "idle", "is_task_successful": True}),
    (OTHER, 70, 90, {"model": "b", "status": "stopped", "is_task_successful": False}),
    (OTHER, 75, 95, {"model": "b", "status": "stopped", "is_task_successful": False}),  # settled later
)
BOOKED = {-2: {ONE: 100}, -1: {ONE: 600, OTHER: 50}, 0: {ONE: 300, OTHER: -10}, 1: {OTHER: 55}}
"""By hours from midnight on."""


def live_through(day: tuple[tuple[UUID, int, int | None, dict[str, Any]], ...] = DAY) -> None:
    """The poller hears all of it, somebody looks at the costs after each answer, and every figure is right."""
    account = make_account()
    with machine.travel(MIDNIGHT - timedelta(hours=2), tick=False) as clock:
        for uuid, minutes, total, looks in day:
            at = MIDNIGHT + minutes * MINUTE
            clock.move_to(at)
            apply_answers(account, [_answer(uuid, at, total, looks)])
            with bookkeeper.opened():
                pass
        agrees(asked(range="all"))
        agrees(asked(range="all", model="b"))
        agrees(asked(**{"from": "2026-11-24", "to": "2026-11-24"}))
        agrees(asked(**{"from": "2026-11-23", "to": "2026-11-23"}))
        agrees(asked(range="all", outcome="failed"))
    assert disagreement() is None
    assert first_disagreement() is None
    rows = CostHour.objects.values_list("hour", "session__uuid", "total_microusd")
    first = int(MIDNIGHT.timestamp() // 3600)
    right = {(first + hour, uuid): cost for hour, costs in BOOKED.items() for uuid, cost in costs.items()}
    assert {(hour, uuid): cost for hour, uuid, cost in rows} == right


def _answer(uuid: UUID, at: Any, total: int | None, looks: dict[str, Any]) -> Answer:
    return reading(uuid, at, total, created_at=MIDNIGHT - timedelta(hours=2), **looks)


def test_without_a_mistake_the_day_is_right():
    live_through()


# ---- mistakes ----------------------------------------------------------------------------------------


def _mistake(module: Any, name: str, wrong: Callable[[Any], Any]) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(module, name, wrong(getattr(module, name)))


def _spend_that(alter: Callable[[changes.Spend], changes.Spend | None]) -> Callable[[Any], Any]:
    def wrong(right: Any) -> Any:
        def spend(*args: Any) -> changes.Spend | None:
            found = right(*args)
            return found and alter(found)

        return spend

    return wrong


def _known_as_nothing(right: Any) -> Any:
    """A total that is not said counts as zero."""

    def spend(seen: Any, known: Any, at: Any) -> Any:
        return right(replace(seen, total_cost_microusd=seen.total_cost_microusd or 0), known, at)

    return spend


def _replaces(right: Any) -> Any:
    """An hour's booking is overwritten by the next instead of added to."""

    def upsert(model: Any, names: Any, rows: Any, *, unique: Any, **how: Any) -> None:
        overwritten = (*how.get("replace", ()), *how.get("add", ()))
        right(model, names, rows, unique=unique, replace=overwritten)

    return upsert


class _NothingIsStale(ledger.Ledger):
    """Old bookings of a changed session stay beside its new ones."""

    def take(self, sessions: Any, bookings: Any) -> None:
        self._take_sessions(sessions)
        fresh = {**bookings, "place": self._places(bookings["pk"])}
        old = self.bookings.rows(slice(None))
        merged = {name: np.concatenate([old[name], fresh[name]]) for name in columns.BOOKING}
        order = np.argsort(merged["hour"], kind="stable")
        self.bookings.resize(len(order))
        self.bookings.put(slice(None), {name: column[order] for name, column in merged.items()})


class _KeepsItsOrder(ledger.Ledger):
    """New bookings are put at the end, whatever their hour is."""

    def take(self, sessions: Any, bookings: Any) -> None:
        right, np.argsort = np.argsort, lambda hours, kind: np.arange(len(hours))
        try:
            super().take(sessions, bookings)
        finally:
            np.argsort = right


def _without_the_looks(right: Any) -> Any:
    """A status that changed without a booking is not seen."""
    return lambda changed: right(changed & Q(status="running"))


MISTAKES = {
    "a fall is no booking": _mistake(changes, "_spend", _spend_that(lambda s: s if s.total > 0 else None)),
    "a fall counts as a rise": _mistake(
        changes, "_spend", _spend_that(lambda s: s._replace(total=abs(s.total)))
    ),
    "booked an hour late": _mistake(changes, "_spend", _spend_that(lambda s: s._replace(hour=s.hour + 1))),
    "booked twice": _mistake(changes, "_spend", _spend_that(lambda s: s._replace(total=2 * s.total))),
    "what is not said is zero": _mistake(changes, "_spend", _known_as_nothing),
    "late answers count": _mistake(ingest, "_is_late", lambda right: lambda *args: False),
    "bookings are overwritten": _mistake(writer, "upsert", _replaces),
    "nothing is booked to new sessions": _mistake(
        records, "write", lambda right: lambda born, changed: right([], changed)
    ),
    "the ledger sees no change again": _mistake(bookkeeper, "OVERLAP", lambda right: -timedelta(days=1)),
    "the ledger keeps what was replaced": _mistake(bookkeeper._books, "ledger", lambda _: _NothingIsStale()),
    "the ledger is not in order": _mistake(bookkeeper._books, "ledger", lambda _: _KeepsItsOrder()),
    "the ledger misses ended sessions": _mistake(bookkeeper, "_changed_sessions", _without_the_looks),
    "the ledger has its sums from floats": _mistake(
        selection,
        "sums",
        lambda right: (
            lambda groups, values, size: (
                right(groups, (np.asarray(values) * 0.3).astype("i8"), size) * 10 // 3
            )
        ),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows(mistake, monkeypatch):
    MISTAKES[mistake](monkeypatch)
    with pytest.raises((AssertionError, IntegrityError)):
        live_through()
