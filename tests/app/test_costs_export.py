"""Costs as files: the same sums as the page, streamed, and no formula for anybody's spreadsheet."""

import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.test import AsyncClient

from sessions_app.costs import export
from sessions_app.costs.question import question
from sessions_app.models import UpstreamName
from sessions_app.rules.sheets import safe
from tests.support.factories import make_account
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def lena() -> AsyncClient:
    """A lead, as an ASGI server sees her."""
    user = User.objects.create_user("lena")
    user.groups.add(Group.objects.get(name="lead"))
    client = AsyncClient()
    client.force_login(user)
    return client


def fetched(client: AsyncClient, path: str) -> bytes:
    async def fetch() -> bytes:
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.is_async, "only an asynchronous iterator streams under ASGI"
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(fetch)()


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def test_the_lines_add_up_to_the_page(lena, client):
    first = spend([(NOW - timedelta(days=40), 1_000_001), (NOW, 1_500_003)], title="Träger")
    spend([(NOW, 7)])
    found = rows(fetched(lena, "/costs/export.csv?range=all"))
    assert sum(int(row["total_microusd"]) for row in found) == 1_500_010
    assert found[0]["session_id"] == str(first.uuid)
    assert found[0]["title"] == "Träger"
    assert found[0]["total_usd"] == "1.500003"


def test_the_file_asks_what_the_page_asks(lena):
    spend([(NOW - timedelta(days=40), 900), (NOW, 1_000)], model="bu-mini")
    spend([(NOW, 5)], model="other")
    found = rows(fetched(lena, f"/costs/export.csv?from={NOW.date()}&model=bu-mini"))
    assert [(row["total_microusd"], row["total_ever_microusd"]) for row in found] == [("100", "1000")]


def test_json_ends_with_the_sum_of_its_own_sessions(lena):
    for cost in (1, 20, 300):
        spend([(NOW, cost)])
    told = json.loads(fetched(lena, "/costs/export.json?range=all"))
    assert told["total_microusd"] == 321 == sum(one["total_microusd"] for one in told["sessions"])
    assert told["total_usd"] == "0.000321"


def test_nothing_spent_is_a_good_file_too(lena):
    assert json.loads(fetched(lena, "/costs/export.json"))["sessions"] == []
    assert rows(fetched(lena, "/costs/export.csv")) == []


def test_a_chunk_at_a_time(monkeypatch):
    """Never more than a chunk in memory, and each session once whatever the chunk's size."""
    monkeypatch.setattr(export, "CHUNK", 2)
    for cost in range(1, 6):
        spend([(NOW, cost)])

    async def sizes() -> list[int]:
        return [len(chunk) async for chunk in export.chunks(question({"range": "all"}, "UTC", NOW))]

    assert async_to_sync(sizes)() == [2, 2, 1]


@pytest.mark.parametrize(
    "title",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|'/c calc'!A1", "＝1+1", '=HYPERLINK("x")'],
)
def test_a_title_is_never_a_formula(lena, title):
    spend([(NOW, 1)], title=title)
    (row,) = rows(fetched(lena, "/costs/export.csv?range=all"))
    assert row["title"].startswith("'")
    assert row["title"].removeprefix("'").strip() == title.strip()


@pytest.mark.parametrize("text", ["Plain", "2 + 2 = 4", "a-b", "", "-0.500000", "-12"])
def test_what_is_no_formula_stays_as_it_is(text):
    assert safe(text) == text


def test_a_total_that_fell_is_a_negative_number(lena):
    spend([(NOW - timedelta(days=3), 900_000), (NOW, 400_000)])
    (row,) = rows(fetched(lena, f"/costs/export.csv?from={NOW.date()}"))
    assert row["total_usd"] == "-0.500000"


def test_the_name_says_which_stretch(lena):
    async def name() -> str:
        return (await lena.get("/costs/export.csv?from=2026-11-01&to=2026-11-30"))["Content-Disposition"]

    assert "watchfloor-costs-2026-11-01-to-2026-11-30.csv" in async_to_sync(name)()


def test_a_file_says_whose_profile_it_was(lena):
    account, profile = make_account(), uuid4()
    UpstreamName.objects.create(account=account, kind="profile", uuid=profile, name="Anna", customer_id="c-7")
    spend([(NOW, 100)], account, profile_id=profile)
    spend([(NOW, 1)], account)
    (one, other) = json.loads(fetched(lena, "/costs/export.json?range=all"))["sessions"]
    assert (one["profile"], one["profile_user_id"], other["profile_user_id"]) == ("Anna", "c-7", "")
