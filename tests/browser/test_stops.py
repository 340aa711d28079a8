"""From the click to the proof, as people see it: on a desk, on a phone, without JavaScript, and with half of us dead."""

import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.fixtures import Shots, sign_in
from tests.support.floor import Floor
from tests.support.looks import hide

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PROVEN = 60_000  # milliseconds; the proof itself takes about eight seconds, a busy machine the rest
expect.set_options(timeout=30_000)


@pytest.fixture
def open_page(chromium_browser: Browser) -> Iterator:
    """Pages in contexts of their own, signed in."""
    contexts = []

    def opened(floor: Floor, width: int, height: int, **how: object) -> Page:
        context = chromium_browser.new_context(viewport={"width": width, "height": height}, **how)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        sign_in(page, floor.url)
        return page

    yield opened
    for context in contexts:
        context.close()


def a_running_row(page: Page, floor: Floor) -> str:
    """The id of a session that runs and that nobody is stopping."""
    page.goto(f"{floor.url}/?status=running")
    row = page.locator('[data-status="running"][data-session-id]:not([data-stopping])').last
    row.wait_for()
    return row.get_attribute("data-session-id") or ""


def ask(page: Page, uuid: str, strategy: str) -> None:
    page.locator(f'#s-{uuid} [data-stop="{strategy}"]').click()
    expect(page.locator("#dialog .ask")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "light"), (390, 844, "dark")])
def test_from_the_click_to_the_proof(open_page, floor, shots: Shots, width, height, scheme):
    page = open_page(floor, width, height, color_scheme=scheme)
    other = open_page(floor, 1440, 900)
    uuid = a_running_row(page, floor)
    other.goto(f"{floor.url}/")
    ask(page, uuid, "task")
    shots.take(page, "question")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("the browser stays open and keeps its state")
    dialog.get_by_text("Too expensive").click()
    dialog.locator("textarea").fill("It opened the same page nine times")
    dialog.get_by_role("button", name="Stop task").click()
    receipt = dialog.locator(".receipt")
    expect(receipt).to_be_visible()
    shots.take(page, "receipt")
    expect(receipt).to_have_attribute("data-stop-state", "confirmed", timeout=PROVEN)
    expect(receipt).to_contain_text("Too expensive, It opened the same page nine times")
    shots.take(page, "confirmed")
    expect(other.locator(f"#s-{uuid}")).not_to_have_attribute("data-status", "running")
    dialog.get_by_role("link", name="Done").click()
    expect(dialog).not_to_be_visible()
    page.goto(f"{floor.url}/stops/")
    row = page.locator(f'[data-session-id="{uuid}"][data-strategy="task"]').first
    expect(row).to_have_attribute("data-stop-state", "confirmed")
    shots.take(page, "record")


def test_two_people_join_the_same_stop_and_both_see_it(open_page, floor, shots: Shots):
    ana, bo = open_page(floor, 1440, 900), open_page(floor, 1440, 900)
    uuid = a_running_row(ana, floor)
    bo.goto(f"{floor.url}/sessions/{uuid}/stop/?strategy=session")
    ask(ana, uuid, "session")
    ana.locator("#dialog").get_by_role("button", name="End session").click()
    expect(ana.locator("#dialog .receipt")).to_be_visible()
    bo.locator(".ask-page").get_by_role("button", name="End session").click()
    expect(bo.locator("#dialog")).to_contain_text(re.compile("was first|It was so already|Confirmed"))
    expect(ana.locator("#dialog .receipt")).to_have_attribute("data-stop-state", "confirmed", timeout=PROVEN)


def test_a_hidden_receipt_asks_for_nothing(open_page, floor):
    page = open_page(floor, 1440, 900)
    ask(page, a_running_row(page, floor), "task")
    page.locator("#dialog").get_by_role("button", name="Stop task").click()
    receipt = page.locator("#dialog .receipt")
    expect(receipt).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/stops/" in request.url else None)
    hide(page, hidden=True)
    page.wait_for_timeout(500)  # for what was on its way
    asked.clear()
    page.wait_for_timeout(5_000)
    assert not asked
    hide(page, hidden=False)
    expect(receipt).to_have_attribute("data-stop-state", "confirmed", timeout=PROVEN)


def test_the_keyboard_alone(open_page, floor):
    page = open_page(floor, 1440, 900)
    uuid = a_running_row(page, floor)
    link = page.locator(f'#s-{uuid} [data-stop="task"]')
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.locator(".ask")).to_be_visible()
    expect(dialog.locator("h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    assert page.evaluate("document.activeElement.closest('.row') !== null"), "the focus is back in its row"
    expect(page.locator(f"#s-{uuid}")).not_to_have_attribute("data-stopping", "task")


def test_a_press_beside_the_question_takes_it_back(open_page, floor):
    page = open_page(floor, 1440, 900)
    ask(page, a_running_row(page, floor), "task")
    page.mouse.click(20, 20)
    expect(page.locator("#dialog")).not_to_be_visible()


def test_without_javascript(open_page, floor, shots: Shots):
    page = open_page(floor, 1440, 900, java_script_enabled=False)
    uuid = a_running_row(page, floor)
    page.goto(f"{floor.url}/sessions/{uuid}/")
    page.get_by_role("button", name=re.compile("Stop task")).first.click()
    expect(page.locator("h2", has_text="Stop this task?")).to_be_visible()
    shots.take(page, "question")
    page.locator("textarea[name=reason]").fill("no script here")
    page.get_by_role("button", name="Stop task").click()
    page.wait_for_url(f"{floor.url}/sessions/{uuid}/")
    for _ in range(20):
        page.goto(f"{floor.url}/stops/")
        row = page.locator(f'[data-session-id="{uuid}"]').first
        if row.get_attribute("data-stop-state") == "confirmed":
            break
        page.wait_for_timeout(1_000)
    assert row.get_attribute("data-stop-state") == "confirmed" and "no script here" in row.inner_text()
    shots.take(page, "record")


def test_no_inline_style_or_script_is_needed(open_page, floor):
    page = open_page(floor, 1440, 900)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    ask(page, a_running_row(page, floor), "task")
    page.goto(f"{floor.url}/stops/")
    assert not complaints


def test_broker_and_workers_dead(open_page, shots: Shots):
    """A stop goes out, and is proven, by the web process alone."""
    with Floor() as own:
        page = open_page(own, 1440, 900)
        uuid = a_running_row(page, own)
        assert own.process
        os.kill(own.process.pid, signal.SIGSTOP)  # the supervisor would start them again
        try:
            for name, pid in own.pids().items():
                if name in {"valkey", "poller", "worker", "beat"}:
                    os.kill(pid, signal.SIGKILL)
            ask(page, uuid, "session")
            page.locator("#dialog").get_by_role("button", name="End session").click()
            receipt = page.locator("#dialog .receipt")
            expect(receipt).to_have_attribute("data-stop-state", "confirmed", timeout=PROVEN)
            shots.take(page, "confirmed")
        finally:
            os.kill(own.process.pid, signal.SIGCONT)
