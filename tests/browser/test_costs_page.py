"""Costs and settings as people see them: on a desk and a phone, by day and by night, with the keyboard, on paper."""

import re
import time

import pytest

from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
EVERYTHING = "/costs/?range=all"


@pytest.fixture
def costs(signed_in, floor):
    """The costs page, once the first sweep has filled it."""
    deadline = time.monotonic() + 90
    while True:
        signed_in.goto(floor.url + EVERYTHING)
        if signed_in.locator("[data-day]").count() > 3:
            return signed_in
        assert time.monotonic() < deadline, "nothing is booked"
        signed_in.wait_for_timeout(1_000)


def figures(page, selector: str, name: str) -> list[int]:
    return [
        int(value)
        for value in page.locator(selector).evaluate_all(f"all => all.map((e) => e.dataset.{name})")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", [EVERYTHING, "/costs/", "/settings/"])
def test_every_size_and_light_is_readable(costs, floor, shots, path, size, scheme):
    costs.emulate_media(color_scheme=scheme)
    costs.set_viewport_size(size)
    costs.goto(floor.url + path)
    shots.take(costs, f"{size['width']}-{scheme}", full_page=True)
    assert not overflows(costs)
    assert costs.locator("dialog:not([open]):visible").count() == 0
    assert complaints(costs) == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/link/spent/"])
def test_the_door_is_for_everybody(page, floor, shots, path, size):
    page.set_viewport_size(size)
    page.goto(floor.url + path)
    shots.take(page, f"door-{size['width']}")
    assert not overflows(page)
    assert complaints(page) == []


@pytest.mark.parametrize("path", ["/nowhere/", "/accounts/password/change/", "/accounts/logout/"])
def test_pages_that_say_no_and_those_at_the_door(signed_in, floor, shots, path):
    signed_in.goto(floor.url + path)
    shots.take(signed_in, "said")
    assert complaints(signed_in) == []


def test_the_days_add_up_to_the_total(costs):
    assert (
        sum(figures(costs, "[data-day]", "costMicrousd"))
        == figures(costs, "[data-total-microusd]", "totalMicrousd")[0]
    )


def test_every_chart_has_its_table(costs):
    for card, rows in (
        (".over-time", "[data-day]"),
        (".course", "[data-course-day]"),
        (".spread", "[data-step-sessions]"),
    ):
        chart, table = costs.locator(f"{card} .chart-bars"), costs.locator(f"{card} {rows}")
        assert chart.bounding_box()["height"] > 100
        costs.locator(f"{card} details").evaluate("details => details.open = true")
        assert table.first.is_visible()
    so_far = figures(costs, "[data-course-day]", "soFarMicrousd")
    assert so_far == sorted(so_far, reverse=True)
    counts = figures(costs, "[data-step-sessions]", "stepSessions")
    assert f"{sum(counts):,} that spent something" in costs.locator("#sessions").inner_text()


def test_a_bar_leads_to_its_day_and_a_model_to_itself(costs):
    costs.locator(".bar").last.click()
    costs.wait_for_url(lambda address: "from=" in address)
    assert "Per hour" in costs.locator(".over-time h2").inner_text()
    costs.goto(re.sub(r"\?.*", "?range=all", costs.url))
    before = figures(costs, "[data-total-microusd]", "totalMicrousd")[0]
    row = costs.locator('[data-group="model"]').first
    alone = int(row.get_attribute("data-cost-microusd"))
    row.get_by_role("link").click()
    costs.wait_for_url(lambda address: "model=" in address)
    assert alone * 9 // 10 < figures(costs, "[data-total-microusd]", "totalMicrousd")[0] < before
    costs.locator(".chip").click()
    costs.wait_for_url(lambda address: "model=" not in address)


def test_sessions_are_sorted_by_their_heads(costs):
    costs.locator(".sessions-table").get_by_role("link", name="Steps").click()
    costs.wait_for_url(lambda address: "sort=steps" in address)
    assert costs.locator('[aria-sort="descending"]').inner_text().startswith("Steps")
    costs.locator(".sessions-table").get_by_role("link", name="Steps").click()
    costs.wait_for_url(lambda address: "dir=asc" in address)
    assert costs.locator('[aria-sort="ascending"]').inner_text().startswith("Steps")


def test_days_are_those_of_the_readers_browser(chromium_browser, floor):
    context = chromium_browser.new_context(timezone_id="Pacific/Auckland")
    page = context.new_page()
    sign_in(page, floor.url)
    page.goto(floor.url + EVERYTHING)
    assert "days of Pacific/Auckland" in page.locator(".costs-asked").inner_text()
    context.close()


def test_a_file_of_the_same_stretch(costs):
    with costs.expect_download() as download:
        costs.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("session_id,title,status")
    assert len(lines) > 3


def test_on_paper_the_table_of_days_is_open_and_the_buttons_are_gone(costs, shots):
    costs.emulate_media(media="print")
    shots.take(costs, "paper", full_page=True)
    assert costs.locator("[data-day]").first.is_visible()
    assert not costs.locator(".own").is_visible()
    assert not costs.locator(".nav").is_visible()
