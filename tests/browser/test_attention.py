"""What needs a person, and what somebody knows of: by mouse, by key, on a phone, and seen by others at once."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.fixtures import Shots
from tests.support.looks import complaints, hide, overflows

pytestmark = pytest.mark.browser
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SOON_MS = 15_000
TROUBLED = '.row[data-rank][data-status="running"]:not([data-stopping])'
HEADING_COUNTS_ON = """() => document.querySelector("h1 [data-count]").textContent
    === (document.querySelector("nav [data-count]").textContent || "0")
    && Number(document.getElementById("pulse").dataset.attention) === Number(document.querySelector("h1 [data-count]").textContent)"""
RANK = re.compile(r"\d+")


@pytest.fixture
def queue(visit, floor):
    page = visit(floor.url, viewport=DESK)
    page.goto(f"{floor.url}/attention/")
    page.locator(TROUBLED).first.wait_for(timeout=90_000)
    yield page
    page.goto(f"{floor.url}/attention/")  # others use this floor, too
    for _ in range(page.locator("#quiet li").count()):
        with page.expect_response("**/attention/"):
            page.locator("#quiet").get_by_text("Undo").first.click()
        page.reload()


def test_who_acknowledges_is_seen_by_others_and_nothing_is_forgotten(queue, visit, floor, shots: Shots):
    other = visit(floor.url, viewport=PHONE)
    other.goto(f"{floor.url}/attention/")
    row = queue.locator(TROUBLED).first
    uuid = row.get_attribute("data-session-id")
    row = queue.locator(f"#s-{uuid}")
    shots.take(queue, "queue")
    row.get_by_text("Acknowledge", exact=True).click()
    expect(row).to_have_attribute("data-quiet", "", timeout=SOON_MS)
    expect(row).to_contain_text("Acknowledged by ada")
    known = queue.locator(f'#quiet li:has(a[href$="/sessions/{uuid}/"])')
    expect(known).to_contain_text("Acknowledged by ada", timeout=SOON_MS)
    queue.wait_for_function(HEADING_COUNTS_ON, timeout=SOON_MS)
    shots.take(queue, "acknowledged", full_page=True)
    expect(other.locator(f"#s-{uuid}")).to_contain_text("Acknowledged by ada", timeout=SOON_MS)
    known.get_by_text("Undo").click()
    expect(row).to_have_attribute("data-rank", RANK, timeout=SOON_MS)
    expect(row.get_by_text("Acknowledge", exact=True)).to_be_visible()


def test_the_key_a_on_the_floor_and_on_the_sessions_page(queue, floor, shots: Shots):
    uuid = queue.locator(TROUBLED).first.get_attribute("data-session-id")
    queue.goto(f"{floor.url}/?view=list")
    row = queue.locator(f"#s-{uuid}")
    row.locator(".row-title").focus()
    queue.keyboard.press("a")
    expect(row).to_have_attribute("data-quiet", "", timeout=SOON_MS)
    expect(row.locator(".flags .flag.is-quiet").first).to_be_visible()
    shots.take(queue, "list")
    queue.keyboard.press("a")
    expect(row).to_have_attribute("data-rank", RANK, timeout=SOON_MS)
    queue.goto(f"{floor.url}/sessions/{uuid}/")
    queue.get_by_text("15 min").click()
    expect(queue.locator(".reason").first).to_contain_text("Snoozed by ada until", timeout=SOON_MS)
    shots.take(queue, "session")
    queue.keyboard.press("a")
    expect(queue.locator(".reason").first).not_to_contain_text("Snoozed", timeout=SOON_MS)


def test_what_is_acknowledged_is_current_as_soon_as_somebody_looks_again(queue):
    queue.reload()
    hide(queue, hidden=True)
    with queue.expect_response("**/attention/?part=quiet", timeout=10_000):  # by itself it asks each 30 s
        hide(queue, hidden=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_axe_knows(queue, shots: Shots, scheme):
    queue.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    queue.locator(TROUBLED).first.get_by_text("Snooze 1 h").click()
    expect(queue.locator("#quiet li").first).to_be_visible(timeout=SOON_MS)
    for name, viewport in {"desk": DESK, "phone": PHONE}.items():
        queue.set_viewport_size(viewport)
        shots.take(queue, f"{name}-{scheme}", full_page=True)
        assert complaints(queue) == [], name
        assert not overflows(queue), name
    buttons = queue.locator(".why-acts .btn, #quiet .btn").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert buttons and min(buttons) >= 44, "thumb-sized on a phone"
