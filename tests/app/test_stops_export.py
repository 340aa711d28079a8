"""The stop record as a file: all that matches, in order, harmless in a spreadsheet, without costs for whom they are not."""

import asyncio
import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import StopRequest
from sessions_app.queries import stops_export
from tests.app.test_stops import as_role, make_stop
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def session(db):
    make_account()
    return make_session(title="=HYPERLINK(evil)")


def body_of(answer) -> str:
    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    assert answer.status_code == 200 and answer.is_async
    return asyncio.run(read()).decode("utf-8-sig")


def as_rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body_of(answer))))


def test_all_that_matches_newest_first_over_many_chunks(session, monkeypatch):
    monkeypatch.setattr(stops_export, "CHUNK", 3)
    for minutes in range(8):
        at = timezone.now() - timedelta(minutes=minutes)
        make_stop(session, state="confirmed", requested_at=at, reason="Loop")
    make_stop(session, state="failed", reason="Other")
    client = as_role("operator")
    rows = as_rows(client.get("/stops/export.csv", {"reason": "loop"}))
    assert [int(row["stop"]) for row in rows] == list(
        StopRequest.objects.filter(reason="Loop").order_by("-requested_at").values_list("pk", flat=True)
    )
    records = json.loads(body_of(client.get("/stops/export.json", {"reason": "loop"})))
    assert [one["stop"] for one in records] == [int(row["stop"]) for row in rows]


def test_cells_are_harmless_and_money_is_exact(session):
    make_stop(session, state="confirmed", reason="@SUM(1)", cost_at_click_microusd=1_234_567)
    (row,) = as_rows(as_role("operator").get("/stops/export.csv"))
    assert row["title"] == "'=HYPERLINK(evil)" and row["reason"] == "'@SUM(1)"
    assert (row["usd_at_click"], row["state"], row["session_id"]) == (
        "1.234567",
        "confirmed",
        str(session.uuid),
    )


def test_who_may_not_see_costs_gets_none(session):
    make_stop(session, state="confirmed")
    client = as_role("viewer")
    (row,) = as_rows(client.get("/stops/export.csv"))
    assert not [name for name in row if "usd" in name]
    assert "usd" not in body_of(client.get("/stops/export.json"))


def test_nothing_that_matches_is_an_empty_list(session):
    client = as_role("operator")
    assert json.loads(body_of(client.get("/stops/export.json"))) == []
    assert (
        body_of(client.get("/stops/export.csv")).startswith("stop,session_id,")
        and not StopRequest.objects.exists()
    )


def test_nobody_gets_it_without_signing_in(client, db):
    assert client.get("/stops/export.csv")["Location"].startswith("/accounts/login/")
