"""Monday, nine o'clock: a team lead finds out what last week's agents cost, what was wasted, and tells finance."""

import csv
import io
import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import Page, expect

from tests.support.fixtures import Shots
from tests.support.floor import PASSWORD, Floor
from tests.support.looks import complaints, overflows
from tests.support.smtp import MailServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LEAD = "monday-lead"
MAKE_LEAD = f"""
from django.contrib.auth.models import Group, User
User.objects.create_user("{LEAD}", password="{PASSWORD}").groups.add(Group.objects.get(name="lead"))
"""


@pytest.fixture
def letterbox() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def own_floor(letterbox: MailServer) -> Iterator[Floor]:
    """With a mail server, and with a history of its own."""
    with Floor({"EMAIL_URL": f"smtp://127.0.0.1:{letterbox.port}"}) as running:
        assert running.shell(MAKE_LEAD).wait(60) == 0
        yield running


def total(page: Page) -> int:
    return int(page.locator("[data-total-microusd]").get_attribute("data-total-microusd") or 0)


def costs(page: Page, selector: str) -> list[int]:
    found: list[str] = page.locator(selector).evaluate_all("all => all.map((e) => e.dataset.costMicrousd)")
    return [int(cost) for cost in found]


def the_last_whole_day(page: Page, floor: Floor) -> None:
    """A day of the past, with several sessions: nothing in it changes any more while somebody looks."""
    deadline = time.monotonic() + 120
    while True:
        page.goto(f"{floor.url}/costs/?range=all")
        days = page.locator("[data-day]")
        if days.count() > 3:
            break
        assert time.monotonic() < deadline, "no history is booked"
        page.wait_for_timeout(1_000)
    page.locator("summary", has_text="Day by day").click() if not days.first.is_visible() else None
    days.nth(2).get_by_role("link").click()
    page.wait_for_url(lambda address: "from=" in address)


def test_a_leads_monday(visit, own_floor, letterbox, shots: Shots):
    desk = visit(own_floor.url, LEAD, viewport=DESK)
    the_last_whole_day(desk, own_floor)
    shots.take(desk, "a-day", full_page=True)
    whole, day = total(desk), desk.url
    assert whole > 0

    # every breakdown is of the same money
    for facet in ("model", "profile", "workspace", "country"):
        assert sum(costs(desk, f'[data-group="{facet}"]')) == whole, facet
    assert sum(costs(desk, "[data-outcome]")) == whole

    # what was wasted, and on which sessions
    outcome = desk.locator("[data-outcome]").last
    wasted = int(outcome.get_attribute("data-cost-microusd"))
    outcome.get_by_role("link").first.click()
    desk.wait_for_url(lambda address: "outcome=" in address)
    assert total(desk) == wasted
    assert sum(costs(desk, "[data-session-id]")) == wasted
    shots.take(desk, "one-outcome", full_page=True)
    desk.locator("[data-session-id]").first.get_by_role("link").first.click()
    desk.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}/"))
    shots.take(desk, "a-session")

    # which models bought what: a cell of the table leads to its sessions
    desk.goto(day)
    desk.locator("select[name=rows]").select_option("model")
    desk.locator("select[name=columns]").select_option("outcome")
    desk.locator("#pivot").get_by_role("button", name="Show").click()
    desk.wait_for_url(lambda address: "rows=model" in address)
    cell = desk.locator("[data-cell-microusd] a").first
    worth = int(cell.locator("..").get_attribute("data-cell-microusd"))
    cell.click()
    desk.wait_for_url(lambda address: "outcome=" in address and "model=" in address)
    assert total(desk) == worth

    # the file for finance has the same total as the page
    desk.goto(day)
    with desk.expect_download() as download:
        desk.get_by_role("link", name="CSV").click()
    sheet = download.value.path().read_text(encoding="utf-8-sig")
    assert sum(int(line["total_microusd"]) for line in csv.DictReader(io.StringIO(sheet))) == whole

    # and from now on it comes by itself
    desk.get_by_role("link", name="Mail me this each Monday").click()
    desk.fill("input[name=name]", "Agents, last week")
    desk.fill("input[name=to]", "finance@example.com")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_role("button", name=re.compile("Send last week")).click()
    expect(desk.locator("[data-report]")).to_contain_text("finance@example.com")
    sender, recipients, raw = letterbox.mails[0]
    assert recipients == ["finance@example.com"], sender
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"].startswith("Agents, last week: ")
    words = mail.get_body(("plain",)).get_content()
    desk.goto(own_floor.url + re.search(r"/costs/\?\S+", words).group())  # its link leads to the same sum
    assert desk.locator(".sum-total .value").inner_text() in words

    # on the train: the same figures, nothing cut off, readable in the dark
    phone = visit(own_floor.url, LEAD, viewport=PHONE, color_scheme="dark", has_touch=True)
    phone.goto(day)
    assert total(phone) == whole
    assert not overflows(phone)
    shots.take(phone, "phone", full_page=True)
    assert complaints(phone) == []
