"""Between the browser and Watchfloor: a network that goes away, and an nginx set up as the docs say."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.test_push import MARK, Upstream, is_pushed, open_live, until, wait_until_shown
from tests.support import nginx
from tests.support.fixtures import sign_in
from tests.support.floor import Floor
from tests.support.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NOTICED_MS = 45_000
"""Silence is taken for one after 20 s, and a fetch that hangs is given up after 10."""


class Through:
    """The floor's address as it is behind something else."""

    def __init__(self, floor: Floor, url: str) -> None:
        self.floor, self.url = floor, url


@pytest.fixture
def cable(floor):
    with TcpProxy(to=("127.0.0.1", floor.port)) as proxy:
        yield proxy


@pytest.fixture
def over_cable(page, floor, cable):
    """The live page, over a cable that can be cut."""
    through = Through(floor, f"http://127.0.0.1:{cable.port}")
    sign_in(page, through.url)
    open_live(page, through)
    page.evaluate(MARK)
    return page


def says(page, state: str) -> None:
    page.locator(f"html[data-push={state}]").wait_for(state="attached", timeout=NOTICED_MS)


# ---- a network that goes away ----------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["frozen", "reset", "black hole"])
def test_a_cut_is_said_and_what_was_missed_is_shown_after_it(over_cable, floor, cable, shots, cut):
    upstream = Upstream(floor)
    uuid = upstream.running()
    cable.mode = cut
    upstream.end(uuid)
    says(over_cable, "off")
    expect(over_cable.locator("#push")).to_contain_text("no connection")
    shots.take(over_cable, f"cut-{cut.replace(' ', '-')}")
    assert over_cable.locator(f"#s-{uuid}[data-ended], #s-{uuid}[data-gone]").count() == 0, "nobody told it"
    cable.mode = "open"
    over_cable.locator(f"#s-{uuid}[data-gone], #s-{uuid}[data-ended]").wait_for(
        state="attached", timeout=NOTICED_MS
    )
    says(over_cable, "live")
    assert over_cable.evaluate("window.sameDocument"), "nobody reloaded"


def test_a_laptop_without_network_says_so_at_once(over_cable):
    over_cable.context.set_offline(True)
    over_cable.locator("html[data-push=off]").wait_for(state="attached", timeout=3_000)
    over_cable.context.set_offline(False)
    says(over_cable, "live")


# ---- nginx -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def behind_nginx():
    """A floor that is reached over HTTPS, by the block and the variables of docs/operations.md."""
    program = nginx.find()
    if not program:
        if os.environ.get("CI") == "true":
            raise RuntimeError("no nginx, and none to be had from apt")
        pytest.skip("no nginx here, and only root can fetch one from the system's packages")
    environ = {
        "ALLOWED_HOSTS": "localhost",
        "SECURE_COOKIES": "1",
        "SECURE_PROXY_SSL": "1",
        "WATCHFLOOR_SIMULATOR_SESSIONS": "20",
    }
    with Floor(environ) as running, nginx.Nginx(program, running.port) as proxy:
        yield Through(running, proxy.url)


@pytest.fixture
def visitor(visit, behind_nginx):
    return visit(behind_nginx.url, ignore_https_errors=True)


def test_behind_nginx_changes_are_pushed_and_stops_get_through(visitor, behind_nginx):
    upstream = Upstream(behind_nginx.floor)
    open_live(visitor, behind_nginx)
    visitor.evaluate(MARK)
    assert {cookie["secure"] for cookie in visitor.context.cookies() if cookie["name"] == "sessionid"} == {
        True
    }
    uuid = upstream.running()
    upstream.end(uuid)
    wait_until_shown(visitor, uuid, "stopped")
    assert visitor.locator("html").get_attribute("data-push") == "live"

    other = upstream.running()
    visitor.goto(f"{behind_nginx.url}/sessions/{other}/stop/?strategy=session")
    visitor.locator(".ask-page").get_by_role("button", name="End session").click()
    until(lambda: upstream.call("GET", f"/sessions/{other}")["status"] == "stopped", what="the stop")


def test_behind_nginx_a_page_stays_live_longer_than_any_time_out(visitor, behind_nginx):
    """nginx hangs up on what is silent for a minute, ours for these tests after 20 s; the stream never is."""
    open_live(visitor, behind_nginx)
    visitor.evaluate(
        """() => {
          window.left = [];
          document.addEventListener("push:state", (event) => window.left.push(event.detail.state));
        }"""
    )
    visitor.wait_for_timeout(45_000)
    assert visitor.evaluate("window.left") == []
    is_pushed(visitor)


def test_over_http_2_each_of_a_wall_of_windows_has_its_stream(visitor, behind_nginx):
    """Six connections are a limit of HTTP/1.1 alone: the block of the docs asks for the one that has none."""
    windows = [visitor, *(visitor.context.new_page() for _ in range(6))]
    for window in windows:
        open_live(window, behind_nginx)
    uuid = Upstream(behind_nginx.floor).running()
    Upstream(behind_nginx.floor).end(uuid)
    for window in windows:
        wait_until_shown(window, uuid, "stopped")
        is_pushed(window)
