"""Many tabs of one browser: six connections are all that HTTP/1.1 gives them together, and none may starve."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_push import SOON_MS, Upstream, open_live, until
from tests.support.fixtures import sign_in
from tests.support.floor import Floor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TABS, STREAMS = 7, 4
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})"
"""As over plain HTTP from another machine: browsers have no locks there."""


@pytest.fixture(params=["with locks", "without locks"])
def context(request, chromium_browser, floor: Floor) -> Iterator[BrowserContext]:
    """One browser profile that is signed in."""
    with chromium_browser.new_context(viewport={"width": 1200, "height": 800}) as made:
        if request.param == "without locks":
            made.add_init_script(WITHOUT_LOCKS)
        page = made.new_page()
        sign_in(page, floor.url)
        open_live(page, floor)
        yield made


def states(tabs: list[Page]) -> list[str]:
    return [tab.locator("html").get_attribute("data-push") or "" for tab in tabs]


def opened(context: BrowserContext, floor: Floor) -> list[Page]:
    tabs = list(context.pages)
    while len(tabs) < TABS:
        tab = context.new_page()
        tab.goto(floor.url, timeout=60_000)
        tabs.append(tab)
    return tabs


def test_seven_tabs_all_stay_current_and_a_stop_gets_through(context, floor, shots):
    tabs = opened(context, floor)
    until(
        lambda: sorted(states(tabs)) == ["live"] * STREAMS + ["polling"] * (TABS - STREAMS),
        what="a share for all",
    )
    upstream = Upstream(floor)
    uuid = upstream.running()
    upstream.end(uuid)
    for tab in tabs:
        # A page that is fetched anew has it no more: there the row is marked as gone.
        gone = tab.locator(f'#s-{uuid}[data-status="stopped"], #s-{uuid}[data-gone]')
        gone.wait_for(state="attached", timeout=60_000)
    row = tabs[-1].locator('.row[data-status="running"]').first
    uuid = row.get_attribute("data-session-id")
    tabs[-1].goto(f"{floor.url}/sessions/{uuid}/stop/?strategy=session")
    tabs[-1].locator(".ask-page").get_by_role("button", name="End session").click()
    expect(tabs[-1]).to_have_url(re.compile(rf"/sessions/{uuid}/"), timeout=SOON_MS)
    shots.take(tabs[-2], "one of seven")


def test_when_a_tab_goes_another_one_has_its_stream(context, floor):
    tabs = opened(context, floor)
    until(lambda: states(tabs).count("live") == STREAMS, within_s=60, what="four streams")
    next(tab for tab in tabs if states([tab]) == ["live"]).close()
    left = [tab for tab in tabs if not tab.is_closed()]
    until(lambda: states(left).count("live") == STREAMS, within_s=60, what="four streams again")
