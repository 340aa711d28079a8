"""Sessions as a file: all that match, in order, or those picked; harmless in a spreadsheet; costs for some only."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from sessions_app.models import UpstreamName
from sessions_app.queries import sessions_export
from tests.app.test_stops import as_role
from tests.support.factories import make_account, make_session, make_sessions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

CSV, JSON = "/sessions/export.csv", "/sessions/export.json"


def body_of(answer) -> str:
    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    assert answer.status_code == 200 and answer.is_async
    return asyncio.run(read()).decode("utf-8-sig")


def as_rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body_of(answer))))


def ids(rows) -> list[str]:
    return [row["session_id"] for row in rows]


def test_all_that_match_newest_first_over_many_chunks(db, monkeypatch):
    monkeypatch.setattr(sessions_export, "CHUNK", 3)
    now = timezone.now()
    # Four of one moment each: a chunk ends among equals.
    made = [make_session(status="stopped", created_at=now - timedelta(hours=at // 4)) for at in range(10)]
    make_session(status="error")
    expected = [str(each.uuid) for each in sorted(made, key=lambda each: (each.created_at, each.pk))[::-1]]
    client = as_role("operator")
    assert ids(as_rows(client.get(CSV, {"status": "stopped"}))) == expected
    # A place of the page is no filter: the file has them all.
    assert ids(json.loads(body_of(client.get(JSON, {"status": "stopped", "after": "x"})))) == expected


def test_just_those_that_were_picked_by_address_or_form(db):
    one, other, _third = make_sessions(3)
    client = as_role("viewer")
    assert ids(as_rows(client.get(CSV, {"session": str(one.uuid)}))) == [str(one.uuid)]
    both = {str(one.uuid), str(other.uuid)}
    assert set(ids(as_rows(client.post(CSV, {"session": list(both)})))) == both
    assert set(ids(as_rows(client.post(CSV, {"session": " ".join(both)})))) == both
    for nothing in ({}, {"session": "x"}, {"session": str(uuid4())}):
        assert as_rows(client.post(CSV, nothing)) == []
    assert as_rows(client.get(CSV, {"session": "x"})) == []


def test_names_stand_beside_ids_and_cells_are_harmless(db):
    account = make_account()
    session = make_session(
        account=account, title="=HYPERLINK(evil)", profile_id=uuid4(), workspace_id=uuid4(),
        total_cost_microusd=1_234_567, attention=[{"code": "loop"}, "nonsense"],
    )  # fmt: skip
    for kind, uuid, name in (
        ("profile", session.profile_id, "@Ana"),
        ("workspace", session.workspace_id, "Shop"),
    ):
        UpstreamName.objects.create(account=account, kind=kind, uuid=uuid, name=name)
    (row,) = as_rows(as_role("operator").get(CSV))
    assert (row["title"], row["profile"], row["workspace"]) == ("'=HYPERLINK(evil)", "'@Ana", "Shop")
    assert (row["profile_id"], row["total_usd"], row["attention"]) == (
        str(session.profile_id),
        "1.234567",
        "loop",
    )


def test_who_may_not_see_costs_gets_none_and_cannot_ask_for_them(db):
    cheap = make_session(total_cost_microusd=1)
    client = as_role("viewer")
    rows = as_rows(client.get(CSV, {"least": "100"}))
    assert ids(rows) == [str(cheap.uuid)]
    assert not [name for name in rows[0] if "usd" in name]
    assert "usd" not in body_of(client.get(JSON))


def test_nothing_that_matches_is_an_empty_list(db):
    client = as_role("operator")
    assert json.loads(body_of(client.get(JSON))) == []
    assert body_of(client.get(CSV)).startswith("session_id,title,")


def test_the_first_bytes_come_before_anything_is_read(db, monkeypatch):
    monkeypatch.setattr(sessions_export, "_read", None)
    answer = as_role("operator").get(CSV)

    async def first() -> bytes:
        return await anext(aiter(answer.streaming_content))

    assert b"session_id" in asyncio.run(first())


def test_each_chunk_costs_two_queries(db, django_assert_num_queries):
    make_sessions(5, profile_id=uuid4())
    with django_assert_num_queries(2):
        sessions_export._read(sessions_export.Asked(sessions_export.HistoryFilter()), None)


def test_the_page_offers_both_with_its_filters(db):
    make_session(status="error")
    html = as_role("viewer").get("/sessions/?status=error").content.decode()
    assert f'href="{CSV}?status=error"' in html and f'href="{JSON}?status=error"' in html
    assert f'formaction="{CSV}"' in html


def test_nobody_gets_it_without_signing_in(client, db):
    assert client.get(CSV)["Location"].startswith("/accounts/login/")
    assert client.post(JSON)["Location"].startswith("/accounts/login/")
