"""The wall screen in a real browser: it turns, it rests, it stays awake, and it does not grow."""

import time
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = pytest.mark.browser

TURN_MS = 21_000
ROUNDS = 4
MOST_TRIES = 4


@pytest.fixture
def screen(page, floor):
    """The wall screen with more than one page of tiles; its clock is the test's."""
    sign_in(page, floor.url)
    deadline = time.monotonic() + 90
    while page.request.get(f"{floor.url}/?view=tv&page=3").text().count("Page 3 of") == 0:
        assert time.monotonic() < deadline, "the floor stays small"
        page.wait_for_timeout(500)
    page.goto("about:blank")  # an empty page reloads itself, perhaps just now
    page.clock.install()
    page.goto(f"{floor.url}/?view=tv")
    return page


def place(page) -> str:
    return page.locator(".screen-place b").inner_text()


def turn(page) -> None:
    """Waits for the page that the clock has asked for.  A page that was told to fetch itself anew begins to count again."""
    before = place(page)
    for _ in range(MOST_TRIES):
        page.clock.run_for(TURN_MS)
        with suppress(AssertionError):
            return expect(page.locator(".screen-place b")).not_to_have_text(before)
    raise AssertionError(f"still on {before}")


def test_pages_turn_by_themselves_and_history_does_not_grow(screen):
    history = screen.evaluate("history.length")
    assert place(screen).startswith("Page 1 of")
    turn(screen)
    assert place(screen).startswith("Page 2 of")
    assert "page=2" in screen.url
    assert screen.evaluate("history.length") == history
    assert screen.locator("iframe, form, .row-stop, .row-pick").count() == 0


def test_paused_by_button_and_key_it_stays(screen):
    screen.keyboard.press("p")
    expect(screen.get_by_role("button", name="Paused")).to_have_attribute("aria-pressed", "true")
    screen.clock.run_for(3 * TURN_MS)
    assert place(screen).startswith("Page 1 of")
    screen.get_by_role("button", name="Paused").click()
    turn(screen)
    assert place(screen).startswith("Page 2 of")


def test_arrows_turn_and_escape_leaves(screen):
    screen.keyboard.press("ArrowRight")
    expect(screen.locator(".screen-place b")).to_contain_text("Page 2 of")
    screen.keyboard.press("ArrowLeft")
    expect(screen.locator(".screen-place b")).to_contain_text("Page 1 of")
    screen.keyboard.press("Escape")
    screen.wait_for_url("**view=wall*")


def test_where_motion_is_not_wanted_nothing_turns(screen):
    screen.emulate_media(reduced_motion="reduce")
    with screen.expect_response(lambda answer: "view=tv" in answer.url):  # made current all the same
        screen.clock.run_for(TURN_MS)
    screen.wait_for_timeout(500)
    assert place(screen).startswith("Page 1 of")


def test_it_follows_its_new_tiles_and_stays_while_the_server_is_away(screen):
    with screen.expect_request(lambda request: "/live/stream" in request.url):
        turn(screen)
    tiles = screen.locator(".row").count()
    screen.route("**/?view=tv*", lambda route: route.abort())
    screen.clock.run_for(2 * TURN_MS)
    screen.wait_for_timeout(500)
    assert screen.locator(".row").count() == tiles
    assert place(screen).startswith("Page 2 of")


def test_it_does_not_grow(screen):
    """Nodes and listeners after many turns are no more than after a few."""
    devtools = screen.context.new_cdp_session(screen)
    devtools.send("Performance.enable")

    def size() -> dict[str, float]:
        devtools.send("HeapProfiler.collectGarbage")
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return {
            m["name"]: m["value"] for m in metrics if m["name"] in {"Nodes", "JSEventListeners", "Documents"}
        }

    def round_to_the_first() -> None:
        """The first page always is a full one, so what it holds can be compared."""
        turn(screen)
        while not place(screen).startswith("Page 1 of"):
            turn(screen)

    round_to_the_first()
    before = size()
    for _ in range(ROUNDS):
        round_to_the_first()
    after = size()
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5
    assert after["Documents"] <= before["Documents"] + 2
    assert after["Nodes"] <= before["Nodes"] * 1.25


def test_it_asks_to_stay_awake(page, floor):
    page.add_init_script(
        "navigator.wakeLock.request = async (kind) => { window.asked = kind; return { released: false }; }"
    )
    sign_in(page, floor.url)
    page.goto(f"{floor.url}/?view=tv")
    page.wait_for_function("window.asked === 'screen'")
    expect(page.locator("body")).to_have_attribute("data-wake", "on")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_axe_knows(screen, shots, scheme):
    screen.emulate_media(color_scheme=scheme)
    screen.locator(".row").first.evaluate("row => { row.dataset.gone = ''; }")  # as one that has just ended
    for name, viewport in {
        "tv": {"width": 1920, "height": 1080},
        "desk": {"width": 1440, "height": 900},
        "phone": {"width": 390, "height": 844},
    }.items():
        screen.set_viewport_size(viewport)
        screen.clock.run_for(100)
        shots.take(screen, f"{name}-{scheme}")
        assert not overflows(screen)
        assert complaints(screen) == []
