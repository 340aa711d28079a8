"""The report of a fixed month, figure by figure, against sums that were made without the product's code."""

import csv
import html as html_module
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.test import AsyncClient, Client

from sessions_app.models import Account, AgentSession
from sessions_app.polling.intake import take_pages
from sessions_app.upstream.pages import session_page
from tests.support import golden_month as golden
from tests.support.factories import make_account

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "from=2026-03-01&to=2026-03-31&tz=Europe/Berlin"
TOTAL_MICROUSD = 602_243_874
"""What the month came to when it was first checked: neither side may drift."""


@pytest.fixture
def month(time_machine) -> Iterator["Month"]:
    time_machine.move_to(datetime(2026, 4, 2, 9, tzinfo=UTC), tick=False)
    yield Month()


class Month:
    """The month, taken in as the poller takes in pages; a lead who looks at it; and the other arithmetic."""

    def __init__(self) -> None:
        self.facts, self.looks = golden.month()
        self.accounts = [make_account(name=f"Account {letter}") for letter in "ABC"]
        for look in self.looks:
            facts = self.facts[look.session]
            page = session_page(golden.reply(facts, look), look.read_at, 1)
            take_pages(self.accounts[facts.account], [page])
        self.books = golden.bookings(self.facts, self.looks)
        self.march = golden.within(self.books)
        self.lead = User.objects.create_user("lena")
        self.lead.groups.add(Group.objects.get(name="lead"))

    def page(self, query: str = "") -> str:
        client = Client()
        client.force_login(self.lead)
        return client.get(f"/costs/?{ADDRESS}{query}").content.decode()

    def file(self, kind: str) -> bytes:
        client = AsyncClient()
        client.force_login(self.lead)

        async def fetch() -> bytes:
            answer = await client.get(f"/costs/export.{kind}?{ADDRESS}")
            return b"".join([part async for part in answer.streaming_content])

        return async_to_sync(fetch)()

    def by(self, name: str) -> dict:
        return golden.total_by(self.march, lambda one: getattr(self.facts[one.session], name))

    def by_session(self) -> dict[str, int]:
        return golden.total_by(self.march, lambda one: self.facts[one.session].uuid)

    @property
    def total(self) -> int:
        return sum(one.costs[3] for one in self.march)


def test_the_month_has_all_that_makes_sums_hard(month):
    """Otherwise the tests below would prove little."""
    rises = [one.costs[3] for one in month.books]
    assert min(rises) < 0, "totals that fall"
    assert any(cost is None for look in month.looks for cost in look.costs), "costs that are missing"
    read = [look.read_at for look in month.looks]
    assert read != sorted(read), "answers that come late"
    assert len(month.looks) > len(set(month.looks)), "and twice"
    days = {golden.day_of(one.hour) for one in month.books}
    assert date(2026, 3, 29) in days and min(days) < golden.FIRST and max(days) > golden.LAST
    nights = [look for look in month.looks if look.read_at.astimezone(golden.ZONE).hour < 2]
    assert len(nights) > 20, "hours in which UTC and Berlin disagree about the day"


@pytest.mark.both_databases
def test_total_and_days(month):
    html = month.page()
    assert re.findall(r'data-total-microusd="(-?\d+)"', html) == [str(month.total)]
    assert month.total == TOTAL_MICROUSD
    days = re.findall(r'data-day="([\d-]+)" data-cost-microusd="(-?\d+)"', html)
    expected = golden.total_by(month.march, lambda one: golden.day_of(one.hour).isoformat())
    assert {day: int(cost) for day, cost in days} == expected


@pytest.mark.parametrize(
    ("facet", "field", "without"),
    [
        ("model", "model", ""),
        ("country", "country", "Without a proxy country"),
        ("profile", "profile", "Without a profile"),
        ("workspace", "workspace", "Without a workspace"),
        ("account", "account", ""),
    ],
)
def test_every_breakdown(month, facet, field, without):
    def words(value):
        if value is None:
            return without
        if facet == "account":
            return f"Account {'ABC'[value]}"
        if facet == "country":
            return value.upper()
        return f"{value[:8]}…" if facet in ("profile", "workspace") else value

    expected = sorted((words(value), cost) for value, cost in month.by(field).items())
    found = re.findall(
        rf'data-group="{facet}" data-cost-microusd="(-?\d+)">.*?<a[^>]*>([^<]*)</a>', month.page(), re.DOTALL
    )
    assert sorted((html_module.unescape(name), int(cost)) for cost, name in found) == expected


def test_outcomes(month):
    expected = golden.total_by(month.march, lambda one: golden.outcome(month.looks, one.session))
    found = re.findall(r'data-outcome="(\w+)" data-cost-microusd="(-?\d+)"', month.page())
    assert {key: int(cost) for key, cost in found} == expected
    assert len(expected) >= 4


def test_each_filter_leaves_just_its_part(month):
    for model in golden.MODELS:
        html = month.page(f"&model={model}")
        assert re.findall(r'data-total-microusd="(-?\d+)"', html) == [str(month.by("model")[model])]
    failed = golden.total_by(month.march, lambda one: golden.outcome(month.looks, one.session))["failed"]
    assert re.findall(r'data-total-microusd="(-?\d+)"', month.page("&outcome=failed")) == [str(failed)]


@pytest.mark.both_databases
def test_two_facets_against_each_other(month):
    expected = golden.total_by(
        month.march, lambda one: (month.facts[one.session].model, month.facts[one.session].country)
    )
    cells = re.findall(r'data-cell-microusd="(-?\d+)"', month.page("&rows=model&columns=country"))
    assert sorted(int(cell) for cell in cells if cell != "0") == sorted(filter(None, expected.values()))


def test_the_stretch_before(month):
    january = golden.within(month.books, date(2026, 1, 29), date(2026, 2, 28))
    (before,) = re.findall(r'data-before-microusd="(-?\d+)"', month.page())
    assert int(before) == sum(one.costs[3] for one in january) > 0


@pytest.mark.both_databases
def test_half_nine_in_ten_and_the_dearest(month):
    costs = sorted(month.by_session().values())
    html = month.page()
    shown = {
        name: int(cost) for name, cost in re.findall(r'data-(half|ninety|most)-microusd="(-?\d+)"', html)
    }
    ranks = {"half": -(-len(costs) * 50 // 100), "ninety": -(-len(costs) * 90 // 100), "most": len(costs)}
    assert shown == {name: costs[rank - 1] for name, rank in ranks.items()}


@pytest.mark.both_databases
def test_both_files_say_it_session_by_session(month):
    lines = list(csv.DictReader(io.StringIO(month.file("csv").decode("utf-8-sig"))))
    assert {line["session_id"]: int(line["total_microusd"]) for line in lines} == month.by_session()
    told = json.loads(month.file("json"))
    assert {one["session_id"]: one["total_microusd"] for one in told["sessions"]} == month.by_session()
    assert told["total_microusd"] == month.total
    parts = {name: sum(one.costs[place] for one in month.march) for place, name in enumerate(golden.KINDS)}
    for name, column in (("llm", "llm_usd"), ("proxy", "proxy_usd"), ("browser", "browser_usd")):
        whole = sum(round(float(line[column]) * 10**6) for line in lines)
        assert whole == parts[name]


def test_every_session_s_bookings_are_its_last_total(month):
    latest = golden.total_by(month.books, lambda one: month.facts[one.session].uuid)
    stored = AgentSession.objects.values_list("uuid", "total_cost_microusd")
    assert {str(uuid): cost for uuid, cost in stored} == latest
    assert Account.objects.count() == golden.ACCOUNTS
    assert max(look.read_at for look in month.looks) - min(look.read_at for look in month.looks) > timedelta(
        30
    )
