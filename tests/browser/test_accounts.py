"""Max adds an account: tries the key, is refused, adds it, sets up its webhook, pauses it; by mouse, keyboard and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sessions_app.simulator.testing import RunningSimulator, running_simulator
from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SECRET = "whsec_of_the_browser_test"


@pytest.fixture(scope="module")
def project() -> Iterator[RunningSimulator]:
    """Another project, in which nothing runs: the shared floor stays as other tests know it."""
    with running_simulator(sessions=0, seed=4242, key="bu_key_of_the_other_project") as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _paused_in_the_end(floor, chromium_browser, project) -> Iterator[None]:
    yield
    context = chromium_browser.new_context()
    page = context.new_page()
    sign_in(page, floor.url)
    page.goto(f"{floor.url}/settings/")
    for path in page.locator(".account h2 a").evaluate_all("all => all.map((a) => a.getAttribute('href'))"):
        page.goto(floor.url + path)
        pause = page.get_by_role("button", name="Pause")
        if page.get_by_text(project.base_url).count() and pause.count():
            pause.click()
            expect(page.locator(".account-head")).to_contain_text("Paused")
    context.close()


def fill(page: Page, project: RunningSimulator, name: str, key: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("API key").fill(key)
    more = page.get_by_text("Another address than the vendor’s")
    if not page.get_by_label("Address of the API").is_visible():
        more.click()
    page.get_by_label("Address of the API").fill(project.base_url)


def test_a_key_is_tried_refused_and_added(signed_in, floor, project, shots):
    page = signed_in
    page.goto(f"{floor.url}/settings/")
    page.get_by_role("link", name="Add an account").click()
    fill(page, project, "Tried in a browser", "bu_mistyped_key")
    page.get_by_role("button", name="Only try the key").click()
    expect(page.locator("#tried")).to_contain_text("does not accept the API key (401)")
    expect(page.get_by_label("API key")).to_have_value(
        "bu_mistyped_key"
    )  # nothing was sent away from the page
    page.get_by_role("button", name="Try the key and add").click()
    expect(page.get_by_label("API key")).to_be_focused()  # where something is wrong
    expect(page.get_by_label("API key")).to_have_value("")
    expect(page.get_by_label("Name")).to_have_value("Tried in a browser")
    shots.take(page, "refused")
    page.get_by_label("API key").fill(project.key)
    page.keyboard.press("Enter")
    expect(page.locator(".banner-ok")).to_contain_text("This key sees project “Simulated project”, balance $")
    expect(page.get_by_text(f"Ends in …{project.key[-4:]}")).to_be_visible()
    assert project.key not in page.content()
    shots.take(page, "added", full_page=True)
    _webhook(page, project, shots)
    _pause_and_resume(page)


def _webhook(page: Page, project: RunningSimulator, shots) -> None:
    project.webhooks.url, project.webhooks.secret = (
        page.get_by_label("add a webhook to").input_value(),
        SECRET,
    )
    assert project.webhooks.post("test", {}) == 401
    page.reload()
    expect(page.locator("[data-webhook]")).to_contain_text("No webhook secret is set")
    page.get_by_label("Webhook secret").fill(SECRET)
    page.get_by_role("button", name="Store the secret").click()
    expect(page.locator(".banner-ok")).to_contain_text("Send a test")
    assert project.webhooks.post("test", {}) == 200
    page.reload()
    expect(page.locator("[data-webhook]")).to_contain_text("test")
    assert SECRET not in page.content()
    shots.take(page, "webhook", full_page=True)


def _pause_and_resume(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".account-head")).to_contain_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".account-head")).not_to_contain_text("Paused")
    page.get_by_role("button", name="Pause").click()
    # A context that is closed while its page is on the way elsewhere may never be closed.
    expect(page.locator(".account-head")).to_contain_text("Paused")


def test_without_scripts(chromium_browser, floor, project):
    context = chromium_browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, floor.url)
    page.goto(f"{floor.url}/settings/accounts/add/")
    fill(page, project, "Without scripts", "bu_mistyped_key")
    page.get_by_role("button", name="Only try the key").click()
    expect(page.locator(".errorlist")).to_contain_text("does not accept the API key (401)")
    expect(page.get_by_label("Name")).to_have_value("Without scripts")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", ["/settings/accounts/simulator/", "/settings/accounts/add/"])
def test_every_size_and_light_is_readable(signed_in, floor, shots, path, size, scheme):
    page = signed_in
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.goto(floor.url + path)
    assert not overflows(page)
    assert complaints(page) == []
    shots.take(page, f"{size['width']}-{scheme}", full_page=True)
