"""Many tabs of one browser: six connections are all that HTTP/1.1 gives them together, and none may starve.

Three have a stream of their own, the others share one; where there are no shared workers they are fetched instead.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_push import MARK, SOON_MS, Upstream, open_live, until, wait_until_shown
from tests.support.fixtures import sign_in
from tests.support.floor import Floor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TABS, OWN = 7, 3
"""Tabs, and how many of them have a stream of their own; the others share one, where browsers have workers for that."""
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined});"
"""As over plain HTTP from another machine: browsers have no locks there."""
WITHOUT_WORKERS = "Object.defineProperty(window, 'SharedWorker', {value: undefined});"
"""As Chromium on a phone."""


class Kind(NamedTuple):
    lacks: str
    live: int


KINDS = {
    "all there": Kind("", TABS),
    "without locks": Kind(WITHOUT_LOCKS, TABS),
    "without workers": Kind(WITHOUT_WORKERS, OWN),
    "without both": Kind(WITHOUT_LOCKS + WITHOUT_WORKERS, OWN),
}


@pytest.fixture(params=KINDS)
def kind(request) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def context(kind: Kind, chromium_browser, floor: Floor) -> Iterator[BrowserContext]:
    """One browser profile that is signed in."""
    with chromium_browser.new_context(viewport={"width": 1200, "height": 800}) as made:
        made.add_init_script(kind.lacks)
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


def test_seven_tabs_all_stay_current_and_a_stop_gets_through(context, kind, floor, shots):
    tabs = opened(context, floor)
    until(
        lambda: sorted(states(tabs)) == ["live"] * kind.live + ["polling"] * (TABS - kind.live),
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


def test_when_a_tab_goes_another_one_has_its_stream(context, kind, floor):
    tabs = opened(context, floor)
    until(
        lambda: states(tabs).count("live") == kind.live, within_s=60, what="as many streams as there can be"
    )
    next(tab for tab in tabs if states([tab]) == ["live"]).close()
    left = [tab for tab in tabs if not tab.is_closed()]
    still = min(kind.live, len(left))
    until(lambda: states(left).count("live") == still, within_s=60, what="as many again")


@pytest.mark.parametrize("kind", [KINDS["all there"]], ids=["all there"])
def test_tabs_that_share_a_stream_hear_of_what_each_of_them_shows(context, floor):
    """Different pages, some of which come and go: each has what belongs to it, and at once."""
    tabs = opened(context, floor)
    until(lambda: states(tabs).count("live") == TABS, within_s=60, what="seven live tabs")
    upstream = Upstream(floor)
    uuid = upstream.running()
    tabs[5].goto(f"{floor.url}/sessions/{uuid}/")
    tabs[6].goto(f"{floor.url}/sessions/")
    tabs[4].close()
    for tab in (tabs[3], tabs[5], tabs[6]):
        tab.locator("html[data-push=live]").wait_for(state="attached", timeout=SOON_MS)
    for tab in (tabs[3], tabs[6]):
        tab.evaluate(MARK)
    upstream.end(uuid)
    for tab in (tabs[3], tabs[6]):
        wait_until_shown(tab, uuid, "stopped")
        assert tab.evaluate("window.sameDocument"), "nobody reloaded"
    expect(tabs[5].locator("h1").locator("..")).to_contain_text("stopped", ignore_case=True, timeout=SOON_MS)
