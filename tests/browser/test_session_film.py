"""A long session in a real browser: its film, curve and steps together, its messages, and who else is there."""

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser.test_session_page import box_of, opened, running_session, state_is
from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PICTURES = 1000
SEED = f"""
from datetime import timedelta
from django.contrib.auth.models import Group, User
from django.utils import timezone
from sessions_app.models import Account, Message, Screenshot, SessionDetail, Snapshot, Step
from tests.support.factories import make_session
from uuid import UUID
bea = User.objects.create_user("bea", password="correct-horse-battery")
bea.groups.add(Group.objects.get(name="operator"))
now = timezone.now()
begins = now - timedelta(seconds={PICTURES})
made = make_session(uuid=UUID(int=7), account=Account.objects.first(), status="stopped", is_live=False, title="A long film",
                    step_count={PICTURES}, ended_at=now, created_at=begins)
ms = int(begins.timestamp() * 1000)
numbers = range(1, {PICTURES} + 1)
Step.objects.bulk_create(Step(session=made, number=n, at_ms=ms + n * 1000, text=f"Words of step {{n}}") for n in numbers)
Snapshot.objects.bulk_create(Snapshot(session=made, at_ms=ms + n * 1000, status_code=3, step_count=n, tokens_in=n, tokens_out=n,
                                      total_cost_microusd=n * 10_000, llm_cost_microusd=n * 10_000) for n in numbers)
Message.objects.bulk_create(Message(session=made, vendor_id=f"m{{n}}", at_ms=ms + n * 1000, role="ai", kind="assistant_message",
                                    text=f"Message {{n}}", is_error=n % 50 == 0) for n in range(1, 201))
Screenshot.objects.bulk_create(Screenshot(session=made, taken_at=begins + timedelta(seconds=n), step_count=n, width=1280, height=800,
                                          content_hash=f"{{n:064x}}", stored_bytes=1) for n in numbers)
"""
LONG = "00000000-0000-0000-0000-000000000007"


@pytest.fixture(scope="module")
def long_film(floor):
    """The session of a thousand pictures, and a second operator, Bea."""
    assert floor.shell(SEED).wait(120) == 0
    return LONG


@pytest.fixture
def on_film(signed_in, floor, long_film):
    opened(signed_in, floor, long_film)
    where_is(signed_in, PICTURES)
    return signed_in


def where_is(page, number: int) -> None:
    expect(page.locator("[data-strip-where]")).to_have_text(f"Picture {number} of {PICTURES} · step {number}")


def is_shown(page, number: int) -> None:
    """On the stage, in the strip, on the curve, in the list of steps, and in the address."""
    where_is(page, number)
    expect(page.locator("[data-film-caption]")).to_contain_text(f"Words of step {number}")
    expect(page.locator(".film a[aria-current]")).to_have_attribute("data-step", str(number))
    expect(page.locator("[data-cursor]")).not_to_have_attribute("hidden", "")
    expect(page.locator("[data-shown]")).to_have_attribute("data-step", str(number))
    assert page.url.endswith(f"step={number}")


def shown_number(page) -> int:
    return int(re.search(r"Picture (\d+) of", page.locator("[data-strip-where]").inner_text())[1])


def test_keys_and_slider_reach_every_one_of_a_thousand_pictures(on_film, shots):
    page = on_film
    assert page.locator("[data-film] li").count() < 40, "only those in sight are on the page"
    page.locator("[data-strip-range]").focus()
    page.keyboard.press("Home")
    is_shown(page, 1)
    page.keyboard.press("ArrowRight")
    is_shown(page, 2)
    assert page.evaluate("document.activeElement.matches('[data-strip-range]')"), (
        "the focus stays where it was"
    )
    page.locator(".film a[data-step='2']").focus()
    page.keyboard.press("PageDown")
    is_shown(page, 12)
    page.keyboard.press("End")
    is_shown(page, PICTURES)
    assert page.locator("[data-film] li").count() < 40
    shots.take(page, "film", full_page=True)
    page.get_by_role("button", name="Back to now").click()
    assert "step=" not in page.url and page.locator("[data-film-screen]").is_hidden()


def test_the_mouse_draws_along_the_strip_and_along_the_curve(on_film):
    page = on_film
    box = box_of(page, "[data-strip-scroll]")
    x, y = box["x"] + box["width"] - 80, box["y"] + 40
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 500, y, steps=8)
    page.mouse.up()
    drawn = shown_number(page)
    assert PICTURES - 8 < drawn < PICTURES
    is_shown(page, drawn)
    page.locator("[data-scrub]").scroll_into_view_if_needed()
    curve = box_of(page, "[data-scrub]")
    page.mouse.click(curve["x"] + curve["width"] / 2, curve["y"] + 40)
    expect(page.locator("[data-strip-where]")).not_to_contain_text(f"Picture {drawn} ")
    assert abs(shown_number(page) - PICTURES / 2) < 40
    is_shown(page, shown_number(page))


def test_a_step_has_an_address_of_its_own_and_leads_to_its_picture(on_film, floor):
    page = on_film
    page.goto(f"{floor.url}/sessions/{LONG}/?step=500")
    is_shown(page, 500)
    page.locator("[data-to-step='495']").click()
    is_shown(page, 495)
    assert page.locator("[data-film-link]").get_attribute("data-copy").endswith(f"/sessions/{LONG}/?step=495")


def test_a_finger_taps_and_swipes_on_a_phone(chromium_browser, floor, long_film, shots):
    context = chromium_browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    sign_in(page, floor.url)
    page.goto(f"{floor.url}/sessions/{LONG}/")
    where_is(page, PICTURES)
    page.locator(f".film a[data-step='{PICTURES}']").tap()
    is_shown(page, PICTURES)
    page.evaluate("scrollTo(0, 0)")
    swipe(page, box_of(page, "[data-film-screen]"), by=150)
    is_shown(page, PICTURES - 1)
    swipe(page, box_of(page, "[data-film-screen]"), by=-150)
    is_shown(page, PICTURES)
    assert not overflows(page)
    assert complaints(page) == []
    shots.take(page, "phone", full_page=True)
    context.close()


def swipe(page, box: dict, by: int) -> None:
    """A finger across the middle of a box, as the device would send it."""
    device = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + by / 2, "y": y}]),
        ("touchMove", [{"x": x + by, "y": y}]),
        ("touchEnd", []),
    ):
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    device.detach()


def test_without_script_the_pictures_are_pages_of_a_list(chromium_browser, signed_in, floor, long_film):
    cookies = signed_in.context.cookies()
    context = chromium_browser.new_context(java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{floor.url}/sessions/{LONG}/")
    assert page.locator(".film-plain li").count() == 60
    page.get_by_role("link", name="Earlier pictures").click()
    assert page.locator(".film-plain li").first.get_attribute("data-place") == str(PICTURES - 120)
    page.goto(f"{floor.url}/sessions/{LONG}/?find=message+15&only=errors")
    assert page.locator(".said").count() == 1
    context.close()


def test_messages_are_found_narrowed_and_read_backwards(on_film, shots):
    page = on_film
    log = page.get_by_role("log")
    expect(log.locator(".said")).to_have_count(50)
    assert log.get_attribute("aria-live") == "off"
    page.get_by_role("link", name="150 earlier messages").click()
    expect(log.locator(".said").first).to_contain_text("Message 101")
    page.get_by_label("Only errors").check()
    expect(log.locator(".said")).to_have_count(4)
    expect(log.locator(".said-error .flag")).to_have_text(["Error"] * 4)
    page.get_by_label("Find in messages").press_sequentially("Message 15", delay=30)
    expect(log.locator(".said")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "said-find", "one types on"
    page.get_by_label("Find in messages").fill("nothing like it")
    expect(page.get_by_text("No error matches.")).to_be_visible()
    shots.take(page, "nothing-found", full_page=True)


def test_fifty_updates_load_no_frame_again(signed_in, floor):
    page = signed_in
    opened(page, floor, running_session(floor))
    state_is(page, "live")
    page.evaluate("document.querySelector('iframe').dataset.mark = 'the first'")
    loads, answers = [], count()
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.on("response", lambda answer: "panel=changed" in answer.url and next(answers))
    for _ in range(50):
        with page.expect_response(lambda answer: "panel=changed" in answer.url):
            page.evaluate("document.dispatchEvent(new CustomEvent('session:changed', {detail: {}}))")
    assert next(answers) >= 50
    assert loads == [] and page.locator("iframe").get_attribute("data-mark") == "the first"


def test_two_people_see_each_other_and_one_takes_over(signed_in, chromium_browser, floor, long_film, shots):
    ada = signed_in
    opened(ada, floor, running_session(floor))
    state_is(ada, "live")
    other = chromium_browser.new_context(viewport={"width": 1440, "height": 900})
    bea = other.new_page()
    sign_in(bea, floor.url, "bea")
    bea.goto(ada.url)
    expect(ada.locator("[data-presence]")).to_contain_text("2 watching", timeout=15_000)
    ada.get_by_role("button", name="Take control").click()
    expect(bea.get_by_text("ada is driving")).to_be_visible(timeout=15_000)
    state_is(bea, "live")
    bea.get_by_role("button", name="Take over").click()
    expect(bea.get_by_role("heading", name="Take over from ada?")).to_be_visible()
    shots.take(bea, "take-over")
    bea.locator("#dialog").get_by_role("button", name="Take over").click()
    expect(ada.get_by_text("bea is driving")).to_be_visible(timeout=15_000)
    expect(ada.get_by_role("button", name="Take over")).to_be_visible(timeout=15_000)
    assert ada.locator(".stage-live").evaluate("slot => slot.inert")
    other.close()
    expect(ada.locator("[data-presence]")).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_about_it_is_inaccessible(on_film, floor, scheme, shots):
    page = on_film
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours half-way have no contrast
    assert complaints(page) == [], "ended"
    page.goto(f"{floor.url}/sessions/{LONG}/?step=500")
    is_shown(page, 500)
    assert complaints(page) == [], "with a picture of its film"
    shots.take(page, f"step-{scheme}")
    opened(page, floor, running_session(floor))
    state_is(page, "live")
    assert complaints(page) == [], "live"
    page.goto(f"{floor.url}/sessions/00000000-0000-0000-0000-00000000dead/")
    assert complaints(page) == [], "unknown"
