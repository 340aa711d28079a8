"""The palette, by keyboard alone and by pointer, and for whoever hears it instead of seeing it."""

import time

import pytest
from playwright.sync_api import expect

from tests.support.fixtures import sign_in
from tests.support.looks import complaints

pytestmark = pytest.mark.browser


@pytest.fixture
def live(page, floor):
    sign_in(page, floor.url)
    deadline = time.monotonic() + 90
    while page.request.get(f"{floor.url}/?view=list").text().count('class="row"') < 5:
        assert time.monotonic() < deadline, "the floor stays empty"
        page.wait_for_timeout(500)
    page.goto("about:blank")  # an empty page reloads itself, perhaps just now
    page.goto(f"{floor.url}/?view=list")
    return page


def field(page):
    return page.get_by_role("combobox", name="Page, action, saved view or session")


def at(page) -> str:
    """Words of the option that the field points to."""
    return page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
        "?.querySelector('.palette-words').textContent ?? ''"
    )


def test_a_page_by_keyboard_alone(live):
    live.keyboard.press("Control+k")
    expect(field(live)).to_be_focused()
    assert at(live) == "Live"
    live.keyboard.press("ArrowDown")
    assert at(live) == "Attention"
    live.keyboard.press("ArrowUp")
    live.keyboard.press("ArrowUp")
    assert at(live) != "Attention"  # goes round
    live.keyboard.type("sess")
    assert at(live) == "Sessions"
    live.keyboard.press("Enter")
    live.wait_for_url("**/sessions/")


def test_a_session_by_its_id_and_by_its_title(live):
    row = live.locator(".row").nth(2)
    uuid = row.get_attribute("data-session-id")
    live.keyboard.press("Control+k")
    live.keyboard.type(uuid[:13])
    expect(live.locator(f"#found-{uuid}")).to_be_visible()
    live.keyboard.press("ArrowUp")  # from the first to the last
    live.keyboard.press("Enter")
    live.wait_for_url(f"**/sessions/{uuid}/")


def test_escape_closes_and_the_focus_goes_back(live):
    live.locator(".row-title").first.focus()
    live.keyboard.press("Control+k")
    expect(field(live)).to_be_focused()
    live.keyboard.type("jlx?")  # no key of the page fires meanwhile
    assert live.locator("dialog[open]").count() == 1
    live.keyboard.press("Escape")
    expect(live.locator("dialog[open]")).to_have_count(0)
    expect(live.locator(".row-title").first).to_be_focused()


def test_an_action_by_the_button_and_the_pointer(live):
    live.get_by_role("button", name="Go to…").click()
    live.get_by_role("option", name="Dark colours").click()
    expect(live.locator("html")).to_have_attribute("data-theme", "dark")
    live.keyboard.press("Control+k")
    live.keyboard.type("keyboard")
    live.keyboard.press("Enter")
    expect(live.get_by_role("heading", name="Keyboard")).to_be_visible()


def test_it_opens_while_typing_and_not_over_a_question(live):
    live.keyboard.press("/")
    live.keyboard.press("Control+k")
    expect(field(live)).to_be_focused()
    live.keyboard.press("Escape")
    expect(live.locator("dialog[open]")).to_have_count(0)
    live.locator("main").click(position={"x": 1, "y": 1})
    live.keyboard.press("?")
    live.keyboard.press("Control+k")
    assert live.locator("#palette[open]").count() == 0


def test_what_is_not_found_and_a_server_that_is_away_are_said(live):
    live.keyboard.press("Control+k")
    live.keyboard.type("no such thing anywhere")
    expect(live.locator(".palette-foot")).to_have_text("Nothing is called that")
    live.route("**/palette/*", lambda route: route.abort())
    live.keyboard.type("!")
    expect(live.locator(".palette-foot")).to_contain_text("could not be looked up")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_axe_knows(live, shots, scheme):
    live.emulate_media(color_scheme=scheme)
    for name, viewport in {
        "desk": {"width": 1440, "height": 900},
        "phone": {"width": 390, "height": 844},
    }.items():
        live.set_viewport_size(viewport)
        live.keyboard.press("Control+k")
        expect(live.locator(".palette-foot")).to_contain_text("to go to")
        shots.take(live, f"{name}-{scheme}")
        assert complaints(live) == []
        live.keyboard.press("Escape")
