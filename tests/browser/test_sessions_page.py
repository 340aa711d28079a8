"""The history as people use it: panel, chips, a saved view, columns, a file; on a desk and a phone, by day and by night."""

import csv
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Error, expect

from tests.support.looks import complaints, overflows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LEAST_ROWS = 20


@pytest.fixture
def history(signed_in, floor):
    """The list of all sessions, once the first sweep has filled it."""
    deadline = time.monotonic() + 90
    while True:
        with suppress(Error):  # an empty page reloads itself, perhaps just now
            signed_in.goto(f"{floor.url}/sessions/")
            if signed_in.locator(".row").count() >= LEAST_ROWS:
                return signed_in
        assert time.monotonic() < deadline, "the history stays empty"
        signed_in.wait_for_timeout(1_000)


def panel(page):
    return page.locator(".panel > summary")


def statuses(page) -> set[str]:
    return set(page.locator(".row").evaluate_all("rows => rows.map((row) => row.dataset.status)"))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_panel_filters_and_chips_take_off(history, size):
    history.set_viewport_size(size)
    panel(history).click()
    history.get_by_label("Status").select_option("stopped")
    history.get_by_label("Steps from").fill("1")
    history.get_by_label("Took up to").fill("20 h")
    history.get_by_role("button", name="Apply").click()
    history.wait_for_url("**took_to=20*")
    assert "model=" not in history.url
    assert statuses(history) == {"stopped"}
    chips = history.locator("[data-chip]")
    assert chips.evaluate_all("all => all.map((chip) => chip.dataset.chip)") == [
        "status",
        "steps_from",
        "took_from",
    ]
    history.locator('[data-chip="took_from"]').click()
    history.wait_for_url(lambda address: "took_to" not in address)
    assert "status=stopped" in history.url
    expect(chips).to_have_count(2)
    history.get_by_role("link", name="Clear all").click()
    history.wait_for_url("**/sessions/")


def test_nothing_matches_and_the_way_out(history, floor):
    history.goto(f"{floor.url}/sessions/?q=nothing-like-it&status=stopped")
    history.get_by_role("heading", name="No session matches").wait_for()
    history.get_by_role("link", name="Clear the filters").click()
    history.wait_for_url("**/sessions/")
    assert history.locator(".row").count() >= LEAST_ROWS


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_view_is_saved_opened_renamed_and_deleted(history, floor, size):
    history.set_viewport_size(size)
    name = f"Ended ones {size['width']}"
    history.goto(f"{floor.url}/sessions/?status=ended")
    history.get_by_text("Save view").click()
    history.get_by_label("Name", exact=True).fill(name)
    history.get_by_role("button", name="Save", exact=True).click()
    history.get_by_text(f"The view “{name}” is saved.").wait_for()
    history.goto(f"{floor.url}/sessions/")
    history.get_by_role("link", name=name).click()
    history.wait_for_url("**status=ended*")
    assert history.get_by_role("link", name=name).get_attribute("aria-current") == "page"
    history.get_by_role("link", name="Manage saved views").click()
    history.get_by_label(f"New name of {name}").fill(f"{name}!")
    history.get_by_label(f"New name of {name}").press("Enter")
    history.get_by_text(f"is called “{name}!” now").wait_for()
    history.get_by_role("button", name=f"Delete {name}!").click()
    history.get_by_text(f"The view “{name}!” is gone.").wait_for()
    assert history.locator(f'[data-view-name="{name}!"]').count() == 0


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_matches_and_what_is_ticked_leave_as_files(history, floor, size, tmp_path):
    history.set_viewport_size(size)
    history.goto(f"{floor.url}/sessions/?status=stopped")
    with history.expect_download() as download:
        history.get_by_role("link", name="CSV").click()
    assert {row["status"] for row in rows_of(download.value, tmp_path)} == {"stopped"}
    first = history.locator(".row").first
    first.locator(".row-pick input").check()
    with history.expect_download() as download:
        history.get_by_role("button", name="Selected as CSV").click()
    (row,) = rows_of(download.value, tmp_path)
    assert row["session_id"] == first.get_attribute("data-session-id")


def rows_of(download, folder) -> list[dict[str, str]]:
    download.save_as(folder / "sessions.csv")
    with (folder / "sessions.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_columns_are_chosen_with_the_keyboard_and_kept(history, floor):
    history.set_viewport_size(DESK)
    history.locator(".choose-columns > summary").focus()
    history.keyboard.press("Enter")
    history.locator('[name="column"][value="model"]').focus()
    history.keyboard.press("Space")
    history.locator('[name="column"][value="place"]').focus()
    history.keyboard.press("Space")
    history.keyboard.press("Enter")
    expect(history.locator(".of-model")).to_be_hidden()
    history.goto(f"{floor.url}/sessions/?status=ended")
    assert not history.locator(".row-model").first.is_visible()
    assert heads_stand_over_their_cells(history)
    history.locator(".choose-columns > summary").click()
    history.get_by_role("button", name="As usual").click()
    expect(history.locator(".of-model")).to_be_visible()
    assert "status=ended" in history.url
    assert heads_stand_over_their_cells(history)


def heads_stand_over_their_cells(page) -> bool:
    """Each head that is shown begins where its cells begin."""
    return page.evaluate(
        """() => {
          const left = (selector) => {
            const element = document.querySelector(selector);
            return element && element.offsetWidth ? Math.round(element.getBoundingClientRect().left) : null;
          };
          const pairs = [
            [".of-state", ".row .row-state"], [".of-outcome", ".row .row-outcome"], [".of-when", ".row .row-when"],
            [".of-took", '.row [data-cell="elapsed"]'], [".of-steps", ".row .row-steps"],
            [".of-cost", ".row .row-cost"], [".of-model", ".row .row-model"], [".of-place", ".row .row-place"],
          ];
          return pairs.every(([head, cell]) => Math.abs((left(head) ?? -9) - (left(cell) ?? -9)) <= 2);
        }"""
    )


def test_a_number_of_steps_is_never_cut(history):
    history.set_viewport_size(DESK)
    history.locator(".row-steps").first.evaluate("cell => { cell.textContent = '1,048 steps'; }")
    assert history.locator(".row-steps").first.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(history, floor, size, scheme, shots):
    history.set_viewport_size(size)
    history.emulate_media(color_scheme=scheme)
    for path in (
        "/sessions/?status=ended&steps_from=1&least=cheap",
        "/sessions/?status=ended",
        "/sessions/views/",
    ):
        history.goto(floor.url + path)
        history.wait_for_timeout(300)
        assert complaints(history) == [], path
        assert not overflows(history), path
        shots.take(history, f"sessions{path.count('&')}{'views' in path}-{scheme}-{size['width']}")


def test_it_all_works_without_scripts(chromium_browser, history, floor):
    context = chromium_browser.new_context(
        java_script_enabled=False, storage_state=history.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{floor.url}/sessions/")
    panel(page).click()
    page.get_by_label("Status").select_option("stopped")
    page.get_by_role("button", name="Apply").click()
    assert statuses(page) == {"stopped"}
    assert page.locator('[data-chip="status"]').count() == 1
    context.close()
