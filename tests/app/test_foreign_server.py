"""The whole floor on a v3 server that is not ours: nasty data is shown as it is, nothing executes, stops stop."""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape

import httpx
import pytest

from tests.support.floor import ADMIN, PASSWORD, Floor
from tests.support.foreign import KEY, ForeignServer, running_foreign_server

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def foreign() -> Iterator[ForeignServer]:
    with running_foreign_server() as server:
        server.add("plain", title="An ordinary session", stepCount=3, lastStepSummary="Reading the page")
        server.add("script", title=SCRIPT, lastStepSummary=SCRIPT, output={"html": SCRIPT}, model=SCRIPT)
        server.add(
            "unknown",
            status="hibernating",
            model="claude-next-9",
            proxyCountryCode="zz",
            futureField={"a": [1]},
        )
        server.add("money", title="Odd money", llmCostUsd="+.5", proxyCostUsd="", browserCostUsd="1e3",
                   totalCostUsd="9" * 30, maxCostUsd="00.10")  # fmt: skip
        server.add("fine-money", title="Fine money", status="stopped", llmCostUsd="+.5", proxyCostUsd="00.10",
                   browserCostUsd="7.", totalCostUsd="7.600001", isTaskSuccessful=True)  # fmt: skip
        server.add("urls", title="Bad addresses", liveUrl="javascript:alert(1)",
                   screenshotUrl="http://169.254.169.254/latest/meta-data", recordingUrls=["javascript:alert(2)"])  # fmt: skip
        server.add("evil-host", title="Evil host", liveUrl="https://evil.example\\@live.browser-use.com/x")
        server.add("huge", title="Huge output", status="idle", output="x" * 3_000_000)
        server.add("text", title="nul\x00 and \ud800 half", lastStepSummary="\u202ereversed")
        server.add(
            "numbers", title="Odd numbers", stepCount=10**30, totalInputTokens=-5, isTaskSuccessful="maybe"
        )
        server.add("task-me", title="Stop my task", totalCostUsd="0.25")
        server.add("end-me", title="End my session", totalCostUsd="0.75")
        server.broken += [{"id": "not-a-uuid", "status": "running"}, {"status": "idle"}, 42, None, ["list"]]
        server.most_per_page = 7  # it caps what it was asked for, without a word
        yield server


@pytest.fixture(scope="module")
def foreign_floor(foreign: ForeignServer) -> Iterator[Floor]:
    with Floor({"BROWSER_USE_BASE_URL": foreign.base_url, "BROWSER_USE_API_KEY": KEY}) as running:
        yield running


@pytest.fixture
def ada(foreign_floor: Floor) -> Iterator[httpx.Client]:
    """The admin, signed in without a browser."""
    with httpx.Client(base_url=foreign_floor.url, follow_redirects=True, timeout=20) as client:
        form = client.get("/accounts/login/").text
        answer = client.post("/accounts/login/", data=csrf(form) | {"username": ADMIN, "password": PASSWORD})
        assert answer.status_code == 200 and "/accounts/login" not in str(answer.url)
        yield client


def csrf(html: str) -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert found, "no CSRF token in the page"
    return {"csrfmiddlewaretoken": found.group(1)}


def eventually[T](look: Callable[[], T], within_s: float = 30) -> T:
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.3)
    return found


def status_of(client: httpx.Client, uuid: str) -> str:
    page = client.get(f"/sessions/{uuid}/").text
    found = re.search(r'data-status="([^"]*)"', page)
    return found.group(1) if found else ""


def all_are_shown(client: httpx.Client, server: ForeignServer) -> bool:
    page = client.get("/sessions/").text
    return all(uuid in page for uuid in server.sessions)


def test_every_readable_session_is_shown(ada, foreign):
    assert eventually(lambda: all_are_shown(ada, foreign))


def test_nothing_executes_and_oddities_are_shown_as_they_are(ada, foreign):
    eventually(lambda: foreign_ids(foreign)[-1] in ada.get("/sessions/").text)
    pages = {
        path: ada.get(path) for path in ["/", "/attention/", "/sessions/", "/costs/", "/stops/", "/settings/"]
    }
    pages |= {f"/sessions/{uuid}/": ada.get(f"/sessions/{uuid}/") for uuid in foreign.sessions}
    for path, answer in pages.items():
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        assert SCRIPT not in answer.text, path
        assert "<img src=x" not in answer.text, path
        assert 'href="javascript:' not in answer.text and 'src="javascript:' not in answer.text, path
        assert "169.254.169.254/latest" not in re.sub(r"<pre.*?</pre>", "", answer.text, flags=re.DOTALL), (
            path
        )
    assert "hibernating" in pages["/"].text and "claude-next-9" in pages["/"].text
    assert SCRIPT in unescape(pages["/sessions/"].text)
    odd = unescape(pages[f"/sessions/{foreign_id(foreign, 'Odd money')}/"].text)
    assert "1e3" in odd and "9" * 30 in odd
    assert "futureField" in pages[f"/sessions/{id_by(foreign, model='claude-next-9')}/"].text


def test_the_fine_money_is_exact(ada, foreign):
    def total() -> int:
        page = ada.get("/costs/?range=all").text
        found = re.search(r'data-total-microusd="(-?\d+)"', page)
        return int(found.group(1)) if found else 0

    total()  # whoever looked before the first sweep sees its money later
    eventually(lambda: all_are_shown(ada, foreign))
    assert total() == 7_600_001 + 250_000 + 750_000


@pytest.mark.parametrize(
    ("title", "strategy", "wanted"),
    [("Stop my task", "task", "idle"), ("End my session", "session", "stopped")],
)
def test_a_plain_form_stops(ada, foreign, title, strategy, wanted):
    uuid = foreign_id(foreign, title)
    eventually(lambda: ada.get(f"/sessions/{uuid}/").status_code == 200)
    token = csrf(ada.get(f"/sessions/{uuid}/stop/?strategy={strategy}").text)
    answer = ada.post(
        f"/sessions/{uuid}/stop/", data=token | {"strategy": strategy, "reason": "it went wild"}
    )
    assert answer.status_code == 200
    assert eventually(lambda: status_of(ada, uuid) == wanted)
    assert foreign.posts().count(f"/v3/sessions/{uuid}/stop") == 1

    def confirmed() -> bool:
        rows = re.findall(rf'data-session-id="{uuid}"[^>]*', ada.get("/stops/").text)
        return any(
            f'data-strategy="{strategy}"' in row and 'data-stop-state="confirmed"' in row for row in rows
        )

    assert eventually(confirmed, within_s=45)
    assert "it went wild" in ada.get("/stops/").text


def test_only_the_live_views_own_origin_is_framed(ada, foreign):
    for title in ("Bad addresses", "Evil host"):
        page = ada.get(f"/sessions/{foreign_id(foreign, title)}/").text
        assert "<iframe" not in page


def test_it_is_ready(foreign_floor: Floor):
    assert eventually(lambda: foreign_floor.get("/readyz")[0] == 200)


def foreign_ids(foreign: ForeignServer) -> list[str]:
    return list(foreign.sessions)


def foreign_id(foreign: ForeignServer, title: str) -> str:
    return id_by(foreign, title=title)


def id_by(foreign: ForeignServer, **fields: str) -> str:
    wanted = fields.items()
    return next(
        u
        for u, s in foreign.sessions.items()
        if wanted <= {k: v for k, v in s.items() if isinstance(v, str)}.items()
    )
