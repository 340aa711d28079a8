"""The wall: sizes that are kept, and sessions watched live whose frames nothing reloads."""

import time

import pytest
from playwright.sync_api import expect

from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = pytest.mark.browser

LEAST_ROWS = 20


@pytest.fixture
def wall(page, floor):
    sign_in(page, floor.url)
    deadline = time.monotonic() + 90
    while page.request.get(f"{floor.url}/?view=wall").text().count('class="row"') < LEAST_ROWS:
        assert time.monotonic() < deadline, "the floor stays empty"
        page.wait_for_timeout(500)
    page.goto("about:blank")  # an empty page reloads itself, perhaps just now
    page.goto(f"{floor.url}/?view=wall&status=running")
    return page


def pin(page, number: int = 0) -> str:
    row = page.locator(".row").nth(number)
    row.hover()
    row.locator(".row-pin").click()
    return row.get_attribute("data-session-id")


def frames_loaded(page) -> list[str]:
    """Every document that a frame of the page begins to load from now on."""
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url) if frame.parent_frame else None)
    return loads


def live_pin(page, uuid: str):
    one = page.locator(f'[data-pinned="{uuid}"]')
    expect(one).to_have_attribute("data-state", "live", timeout=20_000)
    return one


def test_sizes_change_the_tiles_and_are_kept(wall):
    width = "rows => rows[0].offsetWidth"
    medium = wall.locator(".row").evaluate_all(width)
    wall.get_by_role("button", name="Large tiles").click()
    assert wall.locator(".row").evaluate_all(width) > medium
    wall.reload()
    assert wall.locator(".rows").get_attribute("data-size") == "l"
    wall.get_by_role("button", name="Small tiles").click()
    assert wall.locator(".row").evaluate_all(width) < medium
    wall.get_by_role("link", name="List").click()
    expect(wall.get_by_role("button", name="Small tiles")).to_be_hidden()


def test_a_pinned_frame_is_loaded_once_whatever_is_pushed_sorted_or_filtered(wall, shots):
    loads = frames_loaded(wall)
    uuid = pin(wall)
    one = live_pin(wall, uuid)
    one.locator("iframe").evaluate("frame => { frame.dataset.mark = 'the first' }")
    shots.take(wall, "pinned")
    before = wall.locator(".row").evaluate_all("rows => rows.map((row) => row.dataset.version).join()")
    wall.wait_for_function(
        "before => [...document.querySelectorAll('.row')].map((row) => row.dataset.version).join() !== before",
        arg=before,
        timeout=30_000,
    )
    wall.get_by_label("Order").select_option("newest")
    wall.wait_for_url("**sort=newest*")
    wall.get_by_label("Status").select_option("idle")
    wall.wait_for_url("**status=idle*")
    expect(wall.locator(".row").first).to_have_attribute("data-status", "idle")
    wall.get_by_role("link", name="Clear").click()
    wall.wait_for_url(lambda address: "status=" not in address)
    expect(wall.locator(".row-pin").first).to_be_attached()
    assert one.locator("iframe").get_attribute("data-mark") == "the first"
    assert len(loads) == 1
    assert len(wall.frames) == 2


def test_who_watches_does_not_drive(wall):
    one = live_pin(wall, pin(wall))
    assert one.locator("[data-pin-slot]").evaluate("slot => slot.inert")
    assert "clipboard" not in (one.locator("iframe").get_attribute("allow") or "")


def test_four_at_once_and_no_more(wall):
    for number in range(4):
        pin(wall, number)
    expect(wall.locator(".pin")).to_have_count(4)
    pin(wall, 4)
    expect(wall.locator("#pin-note")).to_contain_text("4 at once")
    assert wall.locator(".pin").count() == 4
    wall.locator("[data-pin-unpin]").first.click()
    expect(wall.locator(".pin")).to_have_count(3)
    pin(wall, 4)
    expect(wall.locator(".pin")).to_have_count(4)


def test_a_view_that_does_not_answer_says_so_and_can_be_asked_for_again(wall):
    wall.route("**/sessions/*/live/", lambda route: route.abort())
    one = wall.locator(f'[data-pinned="{pin(wall)}"]')
    expect(one).to_have_attribute("data-state", "dead")
    wall.unroute("**/sessions/*/live/")
    one.get_by_role("button", name="Reload the view").click()
    expect(one).to_have_attribute("data-state", "live", timeout=20_000)


def test_a_view_that_comes_late_is_shown_when_it_is_there(wall):
    """One whose host answers 502, and one that is not offered yet: both are looked for, and never called live before."""
    sorry = {"state": "dead", "why": "502"}
    wall.clock.install()
    wall.route("**/live/look/*", lambda route: route.fulfill(json=sorry))
    failing = wall.locator(f'[data-pinned="{pin(wall)}"]')
    expect(failing).to_contain_text("502")
    wall.route("**/sessions/*/live/", lambda route: route.fulfill(body="Not yet.", content_type="text/html"))
    absent = wall.locator(f'[data-pinned="{pin(wall, 1)}"]')
    expect(absent).to_have_attribute("data-state", "none")
    wall.clock.fast_forward(21_000)
    expect(absent).to_have_attribute("data-state", "none")
    expect(failing).to_have_attribute("data-state", "dead")
    wall.unroute("**/sessions/*/live/")
    wall.unroute("**/live/look/*")
    wall.clock.fast_forward(61_000)
    for one in (failing, absent):
        expect(one).to_have_attribute("data-state", "live", timeout=20_000)


def test_a_view_from_elsewhere_is_blocked_and_said_to_be(wall):
    frame = '<iframe src="https://elsewhere.example/"></iframe>'
    wall.route("**/sessions/*/live/", lambda route: route.fulfill(body=frame, content_type="text/html"))
    one = wall.locator(f'[data-pinned="{pin(wall)}"]')
    expect(one).to_have_attribute("data-state", "blocked")
    expect(one).to_contain_text("LIVE_VIEW_ORIGINS")


def test_a_view_that_leads_elsewhere_is_blocked_and_said_to_be(wall, floor):
    ok = live_pin(wall, pin(wall))
    wall.route(
        "**/live/**",
        lambda route: (
            route.continue_()
            if floor.url in route.request.url
            else route.fulfill(status=302, headers={"Location": "https://elsewhere.example/"})
        ),
    )
    one = wall.locator(f'[data-pinned="{pin(wall, 1)}"]')
    expect(one).to_have_attribute("data-state", "blocked")
    expect(ok).to_have_attribute("data-state", "live")


def test_a_view_whose_host_does_not_want_it_framed_is_not_called_live(wall, shots):
    look = {"state": "blocked", "why": "X-Frame-Options: DENY"}
    wall.route("**/live/look/*", lambda route: route.fulfill(json=look))
    one = wall.locator(f'[data-pinned="{pin(wall)}"]')
    expect(one).to_have_attribute("data-state", "blocked")
    expect(one).to_contain_text("X-Frame-Options: DENY")
    shots.take(wall, "desk")
    wall.set_viewport_size({"width": 390, "height": 844})
    shots.take(wall, "phone")
    assert not overflows(wall)
    wall.unroute("**/live/look/*")
    one.get_by_role("button", name="Reload the view").click()
    expect(one).to_have_attribute("data-state", "live", timeout=20_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_axe_knows(wall, shots, scheme):
    wall.emulate_media(color_scheme=scheme)
    live_pin(wall, pin(wall))
    for name, viewport in {
        "desk": {"width": 1440, "height": 900},
        "phone": {"width": 390, "height": 844},
    }.items():
        wall.set_viewport_size(viewport)
        shots.take(wall, f"{name}-{scheme}")
        assert not overflows(wall)
        assert complaints(wall, frames=False) == []
