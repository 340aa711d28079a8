"""The floor changes by itself: within seconds, without a reload, without anything moving; whatever is killed."""

import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Error

from tests.support.fixtures import sign_in
from tests.support.floor import PASSWORD, Floor
from tests.support.looks import hide

pytestmark = pytest.mark.browser

ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+/api/v3)\s+key=(\S+)")
SOON_MS = 20_000  # the machine that runs the tests is busy; the product aims at two or three seconds

MARK = """() => {
  window.sameDocument = true;
  window.heard = {};
  for (const name of ["session:changed", "floor:new", "floor:pulse"])
    document.addEventListener(name, () => { window.heard[name] = (window.heard[name] ?? 0) + 1; });
  document.querySelectorAll(".row").forEach((row, number) => { row.mark = number; });
}"""
MARKS = "() => [...document.querySelectorAll('.row')].map((row) => row.mark)"


class Upstream:
    """The floor's simulator, as another client of the same account uses it."""

    def __init__(self, floor: Floor) -> None:
        until(lambda: ADDRESS.search(floor.log()), what="the address of the simulator")
        self._base_url, self._key = ADDRESS.search(floor.log()).groups()

    def call(self, method: str, path: str, **body: object) -> dict:
        request = urllib.request.Request(
            self._base_url + path, method=method, data=json.dumps(body).encode() if body else None,
            headers={"X-Browser-Use-API-Key": self._key, "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def running(self) -> str:
        """The id of a session that runs now."""
        page = self.call("GET", "/sessions?page_size=100")
        return next(one["id"] for one in page["sessions"] if one["status"] == "running")

    def end(self, uuid: str) -> None:
        self.call("POST", f"/sessions/{uuid}/stop", strategy="session")


@pytest.fixture(scope="module")
def shaken() -> Iterator[Floor]:
    """A floor of our own: parts of it are killed."""
    with Floor({"WATCHFLOOR_SIMULATOR_SESSIONS": "20"}) as running:
        yield running


@pytest.fixture
def on_shaken(page, shaken):
    sign_in(page, shaken.url)
    return page


def until(true: Callable[[], object], within_s: float = SOON_MS / 1000, *, what: str = "it") -> None:
    """Polls: Playwright's own wait_for_function stalls under a strict CSP."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come true in {within_s} s"
        time.sleep(0.1)


def is_pushed(page) -> None:
    page.locator("html[data-push=live]").wait_for(state="attached", timeout=SOON_MS)


def open_live(page, floor: Floor) -> None:
    """The live page, once the first sweep has filled it, with its stream open."""
    for _ in range(60):
        with suppress(Error):  # an empty page reloads itself, perhaps just now
            page.goto(floor.url)
            if page.locator(".row").count() > 5:
                return is_pushed(page)
        time.sleep(1)
    raise AssertionError("the floor stays empty")


def wait_until_shown(page, uuid: str, status: str) -> None:
    page.locator(f'#s-{uuid}[data-status="{status}"]').wait_for(state="attached", timeout=SOON_MS)


# ---- what changes, and what does not ---------------------------------------------------------------------


def test_a_change_upstream_appears_by_itself_and_no_row_moves(signed_in, floor, shots):
    page, upstream = signed_in, Upstream(floor)
    open_live(page, floor)
    page.evaluate(MARK)
    marks = page.evaluate(MARKS)
    uuid = upstream.running()
    upstream.end(uuid)
    wait_until_shown(page, uuid, "stopped")
    page.locator(f'#s-{uuid}[data-gone][data-status="stopped"]').wait_for(state="attached", timeout=SOON_MS)
    until(lambda: page.evaluate("window.heard['session:changed'] ?? 0") >= 20, what="twenty changes")
    assert page.evaluate(MARKS) == marks, "the same nodes, in the same order"
    assert page.evaluate("window.sameDocument"), "no reload"
    shots.take(page, "changed in place")


def test_a_new_session_waits_behind_a_button(signed_in, floor):
    page, upstream = signed_in, Upstream(floor)
    open_live(page, floor)
    page.evaluate(MARK)
    marks = page.evaluate(MARKS)
    uuid = upstream.call("POST", "/sessions", task="Count the red bicycles")["id"]
    page.locator("#new:visible").wait_for(timeout=SOON_MS)
    assert page.evaluate(MARKS) == marks
    until(lambda: _offers(page, uuid), what="the new session")


def _offers(page, uuid: str) -> bool:
    page.locator("#new").click()
    page.wait_for_load_state()
    return page.locator(f"#s-{uuid}").count() == 1


BUMP = """
import time
from django.utils import timezone
from sessions_app.live import publish
from sessions_app.models import AgentSession
session = AgentSession.objects.get(uuid={uuid!r})
for number in range({times}):
    AgentSession.objects.filter(pk=session.pk).update_shown(timezone.now(), last_step=f"Step number {{number}}")
    publish.changed(session.account_id, [session.pk])
    time.sleep(0.3)
"""


def test_an_open_frame_is_loaded_once_through_a_hundred_updates(signed_in, floor, shots):
    page, upstream = signed_in, Upstream(floor)
    uuid, times = upstream.running(), 110
    documents: list[str] = []
    page.on("request", lambda request: documents.append(request.url) if _is_frame(request) else None)
    page.goto(f"{floor.url}/sessions/{uuid}/")
    is_pushed(page)
    page.locator("#stage[data-state=live]").wait_for(timeout=SOON_MS)
    page.evaluate(MARK)
    page.evaluate("document.querySelector('#stage iframe').mark = 'the first'")
    bumping = floor.shell(BUMP.format(uuid=uuid, times=times))
    until(lambda: page.evaluate("window.heard['session:changed'] ?? 0") >= 100, 100, what="a hundred updates")
    bumping.wait(30)
    shots.take(page, "after a hundred updates")
    assert len(documents) == 1, documents
    assert page.evaluate("document.querySelector('#stage iframe').mark") == "the first"
    assert page.evaluate("window.sameDocument")


def _is_frame(request) -> bool:
    return request.resource_type == "document" and request.frame.parent_frame is not None


PERSON = """
from django.contrib.auth.models import Group, User
user, _ = User.objects.get_or_create(username={name!r})
user.set_password({password!r})
user.save()
user.groups.add(Group.objects.get(name={role!r}))
"""


def test_one_stops_a_task_and_both_see_it(signed_in, floor, chromium_browser, shots):
    assert floor.shell(PERSON.format(name="ben", password=PASSWORD, role="viewer")).wait(60) == 0
    adas, bens = signed_in, chromium_browser.new_context().new_page()
    sign_in(bens, floor.url, "ben")
    open_live(adas, floor)
    uuid = adas.locator('.row[data-status="running"][data-rank]').first.get_attribute("data-session-id")
    bens.goto(f"{floor.url}/sessions/{uuid}/")
    is_pushed(bens)
    for page in (adas, bens):
        page.evaluate(MARK)
    adas.locator(f'#s-{uuid} [data-stop="task"]').click()
    adas.locator("#dialog").get_by_role("button", name="Stop task").click()
    wait_until_shown(adas, uuid, "idle")
    bens.locator('[data-session-state][data-status="idle"]').wait_for(state="attached", timeout=SOON_MS)
    bens.locator('.receipt[data-strategy="task"][data-stop-state="confirmed"]').wait_for(timeout=2 * SOON_MS)
    adas.locator('#dialog .receipt[data-stop-state="confirmed"]').wait_for(timeout=SOON_MS)
    assert "ada" in bens.locator(".receipt-who").first.inner_text()
    for page in (adas, bens):
        assert page.evaluate("window.sameDocument"), "nobody reloaded"
        shots.take(page, "one stopped it")
    bens.context.close()


def test_a_hidden_page_hangs_up_and_is_told_what_it_missed(signed_in, floor):
    page, upstream = signed_in, Upstream(floor)
    open_live(page, floor)
    page.evaluate(MARK)
    hide(page, hidden=True)
    page.locator("html[data-push=paused]").wait_for(state="attached", timeout=SOON_MS)
    uuid = upstream.running()
    upstream.end(uuid)
    time.sleep(4)
    assert page.locator(f"#s-{uuid}").get_attribute("data-status") == "running", "nobody looks"
    hide(page, hidden=False)
    wait_until_shown(page, uuid, "stopped")
    is_pushed(page)
    assert page.evaluate("window.sameDocument")


# ---- no stream gets through ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["refused", "swallowed"])
def test_where_no_stream_gets_through_the_page_is_fetched(page, floor, how):
    upstream = Upstream(floor)
    refuse = {"refused": lambda route: route.abort(), "swallowed": lambda route: None}[how]
    sign_in(page, floor.url)
    open_live(page, floor)
    page.route("**/live/stream*", refuse)
    page.goto(floor.url)
    page.locator("html[data-push=polling]").wait_for(state="attached", timeout=45_000)
    page.evaluate(MARK)
    marks = page.evaluate(MARKS)
    uuid = upstream.running()
    upstream.end(uuid)
    page.locator(f'#s-{uuid}[data-gone][data-status="stopped"]').wait_for(state="attached", timeout=SOON_MS)
    until(lambda: page.evaluate("window.heard['session:changed'] ?? 0") >= 5, what="five changes")
    assert page.evaluate(MARKS) == marks
    page.unroute("**/live/stream*")
    page.locator("html[data-push=live]").wait_for(state="attached", timeout=45_000)
    assert page.evaluate("window.sameDocument")


def test_whoever_is_signed_out_elsewhere_is_asked_to_sign_in(page, floor):
    page.route("**/live/stream*", lambda route: route.abort())
    sign_in(page, floor.url)
    page.locator("html[data-push=polling]").wait_for(state="attached", timeout=45_000)
    page.context.clear_cookies(name="sessionid")
    page.locator("input[name=password]").wait_for(timeout=SOON_MS)


# ---- what is killed comes back ---------------------------------------------------------------------------


def test_the_web_killed_while_we_watch(on_shaken, shaken):
    page, upstream = on_shaken, Upstream(shaken)
    open_live(page, shaken)
    page.evaluate(MARK)
    uuid = upstream.running()
    os.kill(shaken.pids()["web"], signal.SIGKILL)
    upstream.end(uuid)
    wait_until_shown(page, uuid, "stopped")
    is_pushed(page)
    assert page.evaluate("window.sameDocument"), "the page came right by itself"


def test_redis_killed_while_we_watch(on_shaken, shaken):
    page, upstream = on_shaken, Upstream(shaken)
    open_live(page, shaken)
    page.evaluate(MARK)
    uuid = upstream.running()
    os.kill(shaken.pids()["valkey"], signal.SIGKILL)
    upstream.end(uuid)
    wait_until_shown(page, uuid, "stopped")
    assert page.evaluate("window.sameDocument")


def test_ctrl_c_does_not_wait_for_open_pages(chromium_browser):
    with Floor({"WATCHFLOOR_SIMULATOR_SESSIONS": "5"}) as ours:
        context = chromium_browser.new_context()
        pages = [context.new_page()]
        sign_in(pages[0], ours.url)
        for _ in range(3):
            pages.append(context.new_page())
            pages[-1].goto(ours.url)
        for page in pages:
            is_pushed(page)
        pid = ours.pids()["web"]
        os.kill(pid, signal.SIGTERM)
        # A server that waits for its streams would sit here until their ten minutes are over.
        until(lambda: ours.pids().get("web") != pid, 10, what="the end of the web process")
        context.close()
