"""The floor as people use it: list and wall, filters, the keyboard, a phone, and nothing that jumps."""

import time
from contextlib import suppress

import pytest
from playwright.sync_api import Error, expect

from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
LEAST_ROWS = 20


@pytest.fixture
def live(signed_in, floor):
    """The live page, once the first sweep has filled it."""
    deadline = time.monotonic() + 60
    while True:
        with suppress(Error):  # an empty page reloads itself, perhaps just now
            signed_in.goto(f"{floor.url}/?view=list")
            if signed_in.locator(".row").count() >= LEAST_ROWS:
                return signed_in
        assert time.monotonic() < deadline, "the floor stays empty"
        signed_in.wait_for_timeout(1_000)


def ids(page) -> list[str]:
    return page.locator(".row").evaluate_all("rows => rows.map((row) => row.dataset.sessionId)")


def focused(page) -> str | None:
    """The session whose title has the focus."""
    return page.evaluate("document.activeElement.closest('.row')?.dataset.sessionId ?? null")


# ---- list and wall ---------------------------------------------------------------------------------


def test_list_and_wall_are_the_same_rows_and_the_choice_is_kept(live, floor, shots):
    before = ids(live)
    shots.take(live, "list")
    live.get_by_role("link", name="Wall").click()
    assert live.locator(".rows").get_attribute("data-view") == "wall"
    assert ids(live) == before
    assert "view=wall" in live.url
    shots.take(live, "wall")
    live.goto(f"{floor.url}/")
    assert live.locator(".rows").get_attribute("data-view") == "wall"
    assert live.locator(".row iframe").count() == 0


def test_nothing_jumps_while_rows_change(live):
    """Ten seconds of a busy floor: rows change in place, and no row moves or grows."""
    places = "rows => rows.map((row) => [row.id, row.offsetTop, row.offsetLeft, row.offsetHeight])"
    versions = "rows => rows.map((row) => row.dataset.version).join()"
    for view in ("list", "wall"):
        live.locator(f'[data-set-view="{view}"]').click()
        rows = live.locator(".row")
        placed, shown = rows.evaluate_all(places), rows.evaluate_all(versions)
        deadline = time.monotonic() + 30
        while rows.evaluate_all(versions) == shown and time.monotonic() < deadline:
            live.wait_for_timeout(200)
        live.wait_for_timeout(3_000)
        assert rows.evaluate_all(versions) != shown
        assert rows.evaluate_all(places) == placed


# ---- filters ---------------------------------------------------------------------------------------


def test_filters_apply_at_once_live_in_the_address_and_survive_back(live):
    everything = live.locator(".row").count()
    live.get_by_label("Status").select_option("idle")
    live.wait_for_url("**status=idle*")
    assert "model=" not in live.url
    some = live.locator(".row").count()
    assert 0 < some < everything
    live.get_by_role("link", name="Clear").click()
    live.wait_for_url(lambda address: "status" not in address)
    live.go_back()
    assert live.get_by_label("Status").input_value() == "idle"


def test_a_search_finds_a_part_of_an_id(live):
    wanted = ids(live)[3]
    live.get_by_placeholder("Title, task, step, id…").fill(wanted[9:18])
    live.keyboard.press("Enter")
    live.wait_for_url("**q=*")
    assert wanted in ids(live)


def test_the_history_is_searched_and_sorted(live, floor):
    live.goto(f"{floor.url}/sessions/")
    assert live.locator(".rows[data-view=dense] .row").count() >= LEAST_ROWS
    live.get_by_role("link", name="Dearest").click()
    live.wait_for_url("**sort=dearest*")
    live.get_by_label("Search title, task, last step, output or id").fill("no such session anywhere")
    live.keyboard.press("Enter")
    live.get_by_role("heading", name="No session matches").wait_for()
    assert "sort=dearest" in live.url


# ---- the keyboard ----------------------------------------------------------------------------------


def test_j_and_k_move_and_enter_opens(live):
    rows = ids(live)
    live.keyboard.press("j")
    assert focused(live) == rows[0]
    live.keyboard.press("j")
    assert focused(live) == rows[1]
    live.keyboard.press("k")
    assert focused(live) == rows[0]
    live.keyboard.press("Enter")
    live.wait_for_url(f"**/sessions/{rows[0]}/")


def test_slash_searches_and_no_key_fires_while_typing(live):
    before = live.url
    live.keyboard.press("/")
    live.keyboard.type("jls?S")
    assert live.get_by_placeholder("Title, task, step, id…").input_value() == "jls?S"
    assert live.locator("dialog[open]").count() == 0
    assert live.url == before


def test_l_switches_and_the_question_mark_explains(live):
    live.keyboard.press("l")
    assert live.locator(".rows").get_attribute("data-view") == "wall"
    live.keyboard.press("l")
    assert live.locator(".rows").get_attribute("data-view") == "list"
    live.keyboard.press("?")
    live.get_by_role("heading", name="Keyboard").wait_for()
    live.keyboard.press("l")  # a question is open: nothing fires
    assert live.locator(".rows").get_attribute("data-view") == "list"
    live.keyboard.press("Escape")
    assert live.locator("dialog[open]").count() == 0


def test_s_asks_and_stops_nothing_by_itself(live):
    row = live.locator('.row:has([data-stop="task"])').first
    row.locator(".row-title").focus()
    live.keyboard.press("s")
    live.locator("#dialog[open]").wait_for()
    assert live.locator("#dialog form").count() >= 1
    live.keyboard.press("Escape")
    live.locator("#dialog[open]").wait_for(state="detached")
    assert row.get_attribute("data-stopping") is None


# ---- age -------------------------------------------------------------------------------------------


def test_a_page_that_hears_nothing_new_calls_itself_old(page, floor):
    sign_in(page, floor.url)
    page.clock.install()
    page.goto(f"{floor.url}/")
    assert page.locator("#pulse[data-state=ok]").count() == 1
    page.clock.fast_forward(60_000)
    page.get_by_text("Old data.").wait_for()
    places = "rows => rows.map((row) => row.offsetTop).join()"
    before = page.locator(".row").evaluate_all(places)
    page.evaluate("document.getElementById('pulse').dataset.state = 'ok'")
    assert page.locator(".row").evaluate_all(places) == before  # the warning's coming and going moves no row
    page.get_by_text("Old data.").wait_for()


def test_moments_are_said_in_words_with_the_exact_one_beside(live):
    elapsed = live.locator('.row [data-cell="elapsed"] time').first
    before = elapsed.inner_text()
    live.wait_for_timeout(2_200)
    assert elapsed.inner_text() != before or " h " in before
    assert "20" in elapsed.get_attribute("title")
    expect(live.locator("#push")).to_have_text("live")


@pytest.mark.parametrize(
    ("seconds", "kind", "words"),
    [(150, "due", "in 2 min"), (20, "due", "in a moment"), (-20, "due", "now"), (-150, "", "2 min ago")],
)
def test_what_was_to_come_is_now_and_not_ago(live, seconds, kind, words):
    """A balance "runs out 3 s ago" until the next reading says when, otherwise."""
    live.evaluate(
        """([seconds, kind]) => {
            const at = new Date(Date.now() + seconds * 1000).toISOString();
            document.querySelector("main").insertAdjacentHTML(
              "beforeend", `<p id="moment"><time datetime="${at}" data-relative="${kind}">?</time></p>`);
        }""",
        [seconds, kind],
    )
    expect(live.locator("#moment")).to_have_text(words)


# ---- everybody -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/?view=list", "/?view=wall", "/attention/", "/sessions/", "/?q=nothing-like-it"]
)
def test_no_barrier_that_axe_knows(live, floor, shots, path, scheme):
    live.emulate_media(color_scheme=scheme)
    for name, viewport in {"desk": {"width": 1440, "height": 900}, "phone": PHONE}.items():
        live.set_viewport_size(viewport)
        live.goto(floor.url + path)
        live.wait_for_timeout(300)
        shots.take(live, f"{name}-{scheme}")
        assert complaints(live) == []


def test_a_phone_has_one_column_large_targets_and_no_sideways_scrolling(live, floor):
    live.set_viewport_size(PHONE)
    for path in ("/?view=list", "/attention/", "/sessions/"):
        live.goto(floor.url + path)
        assert not overflows(live), path
        lefts = live.locator(".row").evaluate_all("rows => [...new Set(rows.map((row) => row.offsetLeft))]")
        assert len(lefts) <= 1, path
    live.goto(f"{floor.url}/?view=list")
    nav = live.locator("nav[aria-label=Main]").bounding_box()
    assert nav["y"] + nav["height"] == pytest.approx(PHONE["height"], abs=1)
    button = live.locator(".row-stop .btn").first.bounding_box()
    assert button["height"] >= 44


def test_colours_are_chosen_and_kept(live):
    live.locator(".who summary").click()
    live.get_by_role("button", name="Dark").click()
    assert live.locator("html").get_attribute("data-theme") == "dark"
    live.reload()
    assert live.locator("html").get_attribute("data-theme") == "dark"


def test_the_floor_works_without_scripts(chromium_browser, floor, live):
    cookies = live.context.cookies()
    context = chromium_browser.new_context(java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{floor.url}/?view=list")
    assert page.locator(".row").count() >= LEAST_ROWS
    page.get_by_label("Status").select_option("idle")
    page.get_by_role("button", name="Apply").click()
    assert "status=idle" in page.url
    page.get_by_role("link", name="Wall").click()
    assert page.locator(".rows").get_attribute("data-view") == "wall"
    context.close()
