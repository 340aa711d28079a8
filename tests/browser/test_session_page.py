"""One session in a real browser: the frame that nothing reloads, the wheel, the film, the curve, the end."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = pytest.mark.browser


def simulator(floor) -> str:
    return re.search(r"(http://127\.0\.0\.1:\d+/api/v3)", floor.log())[1]


def upstream(floor, path: str, body: dict | None = None) -> dict:
    request = urllib.request.Request(
        simulator(floor) + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"X-Browser-Use-API-Key": "bu_simulator", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def running_session(floor) -> str:
    """One of the simulator's that runs and has taken steps."""
    listed = upstream(floor, "/sessions?page_size=100")["sessions"]
    busy = [one for one in listed if one["status"] == "running" and one["stepCount"] > 3]
    return max(busy, key=lambda one: one["stepCount"])["id"]


def opened(page, floor, session: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    for _ in range(100):  # until the poller has brought it
        answer = page.goto(f"{floor.url}/sessions/{session}/", wait_until="domcontentloaded")
        if answer and answer.status == 200:
            return
        page.wait_for_timeout(300)
    raise AssertionError("the poller never brought the session")


def state_is(page, *states: str, within_s: float = 12) -> None:
    for _ in range(int(within_s * 10)):
        if page.locator("#stage").get_attribute("data-state") in states:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the stage is {page.locator('#stage').get_attribute('data-state')}, not {states}")


def box_of(page, selector: str) -> dict:
    """Where its first match is drawn.  A part that an update is just replacing is drawn again a moment later."""
    for _ in range(50):
        if box := page.locator(selector).first.bounding_box():
            return box
        page.wait_for_timeout(100)
    raise AssertionError(f"{selector} is not drawn")


def has_picture(page) -> None:
    page.locator(".film a").first.wait_for(timeout=40_000)


@pytest.fixture
def on_a_session(signed_in, floor):
    session = running_session(floor)
    opened(signed_in, floor, session)
    return signed_in


def test_the_frame_goes_live_and_no_update_reloads_it(on_a_session, floor, shots):
    page = on_a_session
    state_is(page, "live")
    page.evaluate("document.querySelector('iframe').dataset.mark = 'the first'")
    loads = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    tag = page.locator("#panel-now > [name=seen]")
    first = tag.input_value()
    for _ in range(200):
        if tag.input_value() != first:
            break
        page.wait_for_timeout(150)
    assert tag.input_value() != first, "an update came"
    assert loads == [] and page.locator("iframe").get_attribute("data-mark") == "the first"
    has_picture(page)
    shots.take(page, "live")
    shots.take(page, "live-whole", full_page=True)
    page.emulate_media(color_scheme="dark")
    shots.take(page, "live-dark")


def test_what_an_operator_needs_is_in_sight_without_scrolling(on_a_session):
    page = on_a_session
    state_is(page, "live")
    for part in (
        "iframe",
        ".head .pill",
        ".stop .btn-warn",
        ".stop .btn-bad",
        ".figure-cost",
        ".last-step-text",
    ):
        box = box_of(page, part)
        assert box["y"] >= 0 and box["y"] + box["height"] <= 900, part
    frame = box_of(page, "iframe")
    assert abs(frame["width"] / frame["height"] - 1.6) < 0.02


def test_nobody_drives_by_accident_and_taking_the_wheel_is_seen_by_others(
    on_a_session, chromium_browser, floor
):
    page = on_a_session
    state_is(page, "live")
    box = box_of(page, "iframe")
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    under = "([x, y]) => document.elementFromPoint(x, y).tagName"
    assert page.evaluate(under, at) != "IFRAME"
    assert page.locator(".stage-live").evaluate("slot => slot.inert")
    other = chromium_browser.new_context().new_page()
    sign_in(other, floor.url)
    other.goto(page.url)
    page.get_by_role("button", name="Take control").click()
    page.get_by_role("button", name="Give control back").wait_for()
    assert page.evaluate(under, at) == "IFRAME"
    other.get_by_text("is driving").wait_for()
    page.goto(f"{floor.url}/stops/")  # whoever leaves gives it back
    other.get_by_text("gave control back").first.wait_for()
    expect(other.get_by_text("is driving")).to_have_count(0)
    other.context.close()


def test_a_host_that_does_not_answer_is_told_within_ten_seconds(signed_in, floor, shots):
    page = signed_in
    page.route(
        "**/live/**", lambda route: route.abort() if floor.url not in route.request.url else route.continue_()
    )
    page.route(f"{simulator(floor).removesuffix('/api/v3')}/", lambda route: route.abort())
    opened(page, floor, running_session(floor))
    state_is(page, "dead")
    assert "does not answer" in page.locator("[data-note]").inner_text()
    assert page.locator(".stage-live").evaluate("slot => getComputedStyle(slot).visibility") == "hidden"
    shots.take(page, "dead")
    is_open_to_all(page)
    page.unroute_all()
    page.get_by_role("button", name="Reload the view").click()
    state_is(page, "live")


def test_a_frame_that_never_loads_is_told_too(signed_in, floor):
    page = signed_in
    page.route("**/live/**", lambda route: None if floor.url not in route.request.url else route.continue_())
    opened(page, floor, running_session(floor))
    assert page.locator("#stage").get_attribute("data-state") == "loading"
    state_is(page, "dead")


def test_a_view_that_leads_to_an_address_that_nobody_allowed_is_told(signed_in, floor, shots):
    page = signed_in

    def elsewhere(route) -> None:
        if floor.url in route.request.url:
            return route.continue_()
        return route.fulfill(status=302, headers={"Location": "https://elsewhere.example/"})

    page.route("**/live/**", elsewhere)
    opened(page, floor, running_session(floor))
    state_is(page, "blocked")
    assert "LIVE_VIEW_ORIGINS" in page.locator("[data-note]").inner_text()
    shots.take(page, "blocked")
    is_open_to_all(page)


APOLOGIES = {
    "blocked": ({"status": 200, "headers": {"X-Frame-Options": "DENY"}}, "X-Frame-Options: DENY"),
    "dead": ({"status": 502}, "answers 502"),
}


@pytest.mark.parametrize("state", APOLOGIES)
def test_what_its_host_shows_in_place_of_the_view_is_not_called_live(signed_in, floor, shots, state):
    """To the page, a frame with the host's 502, or with the browser's own word of refusal, has loaded well."""
    page = signed_in
    fault, words = APOLOGIES[state]
    control = simulator(floor).removesuffix("/api/v3") + "/_simulator/faults"
    session = running_session(floor)
    page.clock.install()
    page.request.post(control, data=[{"path": "/live/", "kind": "canned", "body": "<h1>No.</h1>", **fault}])
    try:
        opened(page, floor, session)
        state_is(page, state)
        assert words in page.locator("[data-note]").inner_text()
        assert page.locator(".stage-live").evaluate("slot => getComputedStyle(slot).visibility") == "hidden"
        shots.take(page, f"apology-{state}")
        is_open_to_all(page)
    finally:
        page.request.delete(control)
    if state == "dead":  # it is looked for every 20 s, and comes by itself
        page.clock.fast_forward(21_000)
    else:
        page.get_by_role("button", name="Reload the view").click()
    state_is(page, "live")


def is_open_to_all(page) -> None:
    """In its frame nothing is ours, and what does not answer cannot be looked into."""
    page.emulate_media(reduced_motion="reduce")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert complaints(page, frames=False) == [], scheme


def test_when_it_ends_the_frame_goes_and_the_last_picture_stays(signed_in, floor, shots):
    page = signed_in
    session = upstream(floor, "/sessions", {"task": "Compare three offers", "model": "bu-mini"})["id"]
    opened(page, floor, session)
    has_picture(page)
    state_is(page, "live")
    upstream(floor, f"/sessions/{session}/stop", {"strategy": "session"})
    state_is(page, "ended", within_s=30)
    assert page.locator("iframe").count() == 0
    assert page.locator("[data-last-picture]").is_visible()
    assert "has ended" in page.locator("[data-note]").inner_text()
    page.locator(".stop").first.wait_for(state="detached")
    shots.take(page, "ended", full_page=True)


def test_the_film_is_walked_by_mouse_and_keys_over_a_live_view_that_runs_on(on_a_session, shots):
    page = on_a_session
    has_picture(page)
    state_is(page, "live")
    page.locator(".film a").first.click()
    page.locator("[data-film-screen]").wait_for()
    assert (
        page.locator("[data-film-picture]").evaluate("image => image.decode().then(() => image.naturalWidth)")
        > 1000
    )
    shots.take(page, "film")
    page.keyboard.press("End")
    assert page.locator(".film a").last.get_attribute("aria-current") == "true"
    page.keyboard.press("Escape")
    assert page.locator("[data-film-screen]").is_hidden()
    assert page.locator("iframe").count() == 1


def test_the_curve_is_read_by_keys_and_by_pointer(on_a_session):
    page = on_a_session
    page.locator("[data-points] tbody tr").nth(3).wait_for(state="attached", timeout=40_000)
    slider = page.locator("[data-scrub]")
    slider.focus()
    page.keyboard.press("Home")
    said = slider.get_attribute("aria-valuetext")
    steps = page.locator("[data-points] tbody tr").first.locator("td").nth(2).text_content()
    assert f", {steps}, $" in said
    assert page.locator("[data-read-steps]").inner_text() == steps
    assert page.locator("[data-cursor]").evaluate("line => line.getAttribute('d')") == "M0 0V100"
    page.keyboard.press("End")
    slider.evaluate("slider => slider.blur()")
    page.keyboard.press("Escape")  # a picture may be shown that goes with that moment
    expect(page.locator("[data-cursor]")).to_be_hidden()


def test_on_a_phone_the_stops_lie_under_the_thumb(chromium_browser, floor, shots):
    context = chromium_browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    sign_in(page, floor.url)
    asked = []
    page.on("request", lambda request: "/live/" in request.url and asked.append(request.url))
    page.goto(f"{floor.url}/sessions/{running_session(floor)}/")
    state_is(page, "picture")
    assert page.locator("iframe").is_hidden() and not [url for url in asked if floor.url not in url]
    for button in (".stop .btn-warn", ".stop .btn-bad"):
        box = box_of(page, button)
        assert box["height"] >= 44 and 500 < box["y"] < 844
    assert not overflows(page)
    shots.take(page, "phone")
    page.get_by_role("button", name="Watch live").click()
    state_is(page, "live")
    page.emulate_media(color_scheme="dark")
    page.evaluate("scrollTo(0, 700)")
    shots.take(page, "phone-dark")
    context.close()


def test_the_page_breaks_no_policy_and_no_script(signed_in, floor):
    page, said = signed_in, []
    page.on("console", lambda message: message.type == "error" and said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    opened(page, floor, running_session(floor))
    state_is(page, "live")
    page.wait_for_timeout(4000)
    assert said == []
