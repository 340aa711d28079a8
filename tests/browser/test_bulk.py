"""Stopping many, as people do it: by mouse, by keyboard, on a phone, without scripts; from the tick to the proof of each."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.fixtures import Shots, sign_in
from tests.support.floor import Floor
from tests.support.looks import complaints, overflows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PROVEN = 90_000
expect.set_options(timeout=30_000)


@pytest.fixture
def opened(chromium_browser: Browser, floor: Floor) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_page(viewport: dict[str, int] = DESK, **how: object) -> Page:
        contexts.append(chromium_browser.new_context(viewport=viewport, **how))
        contexts[-1].set_default_timeout(60_000)
        page = contexts[-1].new_page()
        sign_in(page, floor.url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def free_rows(page: Page, floor: Floor, number: int) -> list[str]:
    """Ids of running sessions that nobody is stopping."""
    page.goto(f"{floor.url}/?status=running&sort=newest")
    rows = page.locator('.row[data-status="running"]:not([data-stopping])')
    rows.nth(number - 1).wait_for()
    return [rows.nth(at).get_attribute("data-session-id") or "" for at in range(number)]


def box(page: Page, uuid: str):
    return page.locator(f"#s-{uuid} .row-pick input")


def settle(page: Page) -> None:
    expect(page.locator(".bulk-report")).to_have_attribute("data-pending", "0", timeout=PROVEN)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")], ids=["desk", "phone"])
def test_from_the_ticks_to_the_proof_of_each(opened, floor, shots: Shots, viewport, scheme):
    page = opened(viewport, color_scheme=scheme, has_touch=viewport is PHONE)
    uuids = free_rows(page, floor, 2)
    page.get_by_label("Select", exact=True).check(force=True)
    for uuid in uuids:
        box(page, uuid).check()
    bar = page.locator("#selection")
    expect(bar).to_contain_text("2 selected")
    shots.take(page, "selected")
    assert complaints(page) == []
    bar.get_by_role("button", name="Stop…", exact=True).click()
    page.wait_for_url(re.compile(r"/stops/bulk/\d+/$"))
    assert {row.get_attribute("data-session-id") for row in page.locator("tbody tr").all()} == set(uuids)
    assert not overflows(page)
    assert complaints(page) == []
    page.get_by_text("End session – the browsers are destroyed").click()
    page.get_by_text("Going round in circles").click()
    shots.take(page, "preview", full_page=True)
    page.get_by_role("button", name=re.compile(r"^\s*Stop 2")).click()
    settle(page)
    shots.take(page, "report", full_page=True)
    states = [row.get_attribute("data-stop-state") for row in page.locator("tbody tr").all()]
    assert set(states) <= {"confirmed", "moot", "skipped"} and "confirmed" in states
    assert complaints(page) == [] and not overflows(page)
    page.goto(f"{floor.url}/stops/")
    expect(page.locator(".bulks li").first).to_contain_text("End session × 2")


def test_without_a_reason_nothing_happens(opened, floor):
    page = opened()
    (uuid,) = free_rows(page, floor, 1)
    box(page, uuid).check(force=True)
    page.get_by_role("button", name="Stop…", exact=True).click()
    page.get_by_role("button", name=re.compile(r"^\s*Stop 1")).click()
    expect(page.get_by_role("alert")).to_contain_text("needs a reason")
    page.goto(f"{floor.url}/")
    expect(page.locator(f"#s-{uuid}")).not_to_have_attribute("data-stopping", re.compile("."))


def test_the_keyboard_alone_selects(opened, floor):
    page = opened()
    page.goto(f"{floor.url}/")
    rows = page.locator(".row")
    rows.nth(3).wait_for()
    page.keyboard.press("j")
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#selection")).to_contain_text("4 selected")
    page.keyboard.press("x")
    expect(page.locator("#selection")).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).not_to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("xX")
    assert page.locator(".row-pick :checked").count() == 0


def test_a_selection_survives_what_is_pushed(opened, floor):
    page = opened()
    (uuid,) = free_rows(page, floor, 1)
    box(page, uuid).check(force=True)
    version = page.locator(f"#s-{uuid}").get_attribute("data-version")
    expect(page.locator(f"#s-{uuid}")).not_to_have_attribute("data-version", version or "", timeout=60_000)
    expect(box(page, uuid)).to_be_checked()


def test_without_scripts(opened, floor):
    page = opened(java_script_enabled=False)
    (uuid,) = free_rows(page, floor, 1)
    box(page, uuid).check()
    page.get_by_role("button", name="Stop…", exact=True).click()
    page.locator("textarea[name=reason]").fill("no script here")
    page.get_by_role("button", name=re.compile(r"^\s*Stop 1")).click()
    expect(page.locator(f'tr[data-session-id="{uuid}"]')).to_be_visible()


def test_all_that_match_is_a_draft_of_all_pages(opened, floor):
    page = opened()
    page.goto(f"{floor.url}/?status=running")
    page.get_by_label("Select", exact=True).check(force=True)
    page.get_by_role("button", name=re.compile("Stop all .* that match")).click()
    expect(page.locator(".bulk")).to_contain_text("All on Live that match: status running")
    expect(page.locator(".bulk-typed")).to_be_visible()
