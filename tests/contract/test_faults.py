"""Each fault, as a client meets it."""

import asyncio
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from sessions_app.simulator.faults import Fault, Faults, parse
from sessions_app.simulator.testing import RunningSimulator


def test_rate_limit_with_every_kind_of_retry_after(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    for given, check in ((2, "2".__eq__), (-1, "-1".__eq__), ("date", parsedate_to_datetime)):
        quiet.faults.set({"kind": "rate_limit", "retry_after": given})
        answer = quiet_api.get("/sessions")
        assert answer.status_code == 429
        assert check(answer.headers["retry-after"])
    quiet.faults.set("rate_limit=1,retry_after=none")
    assert "retry-after" not in quiet_api.get("/sessions").headers


def test_server_errors_by_path_method_and_count(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    quiet.faults.set({"kind": "server_error", "path": "/sessions", "method": "GET", "count": 2})
    assert quiet_api.get("/billing/account").status_code == 200
    assert quiet_api.post(f"/sessions/{session}/stop", json={"strategy": "task"}).status_code == 200
    assert [quiet_api.get("/sessions").status_code >= 500 for _ in range(3)] == [True, True, False]


def test_a_pattern_can_single_out_stops(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    quiet.faults.set({"kind": "status", "status": 403, "detail": "Not yours", "path": "/sessions/*/stop"})
    assert quiet_api.get(f"/sessions/{session}").status_code == 200
    refused = quiet_api.post(f"/sessions/{session}/stop", json={"strategy": "session"})
    assert (refused.status_code, refused.json()) == (403, {"detail": "Not yours"})
    quiet.faults.clear()
    assert quiet_api.get(f"/sessions/{session}").json()["status"] == "running"


def test_slow_and_drip(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    for spec in ("slow=1:0.3", "drip=1:0.02"):
        quiet.faults.set(spec)
        started = time.monotonic()
        assert quiet_api.get("/sessions").json()["total"] == 0
        assert time.monotonic() - started > 0.25


def test_dripping_headers_never_end(quiet: RunningSimulator) -> None:
    """Each header comes well within a read timeout, so only a deadline for the whole call helps."""

    async def call() -> None:
        async with asyncio.timeout(0.6), httpx.AsyncClient(timeout=0.4) as client:
            await client.get(f"{quiet.base_url}/sessions", headers=quiet.headers)

    quiet.faults.set({"kind": "drip_headers", "seconds": 0.1})
    with pytest.raises(TimeoutError):
        asyncio.run(call())


def test_truncate_and_drop(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    for kind in ("truncate", "drop"):
        quiet.faults.set({"kind": kind})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            quiet_api.get("/sessions")
    quiet.faults.clear()
    assert quiet_api.get("/sessions").status_code == 200


def test_html_and_canned_replies(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    quiet.faults.set("html_200")
    assert quiet_api.get("/sessions").headers["content-type"].startswith("text/html")
    quiet.faults.set({"kind": "canned", "status": 302, "headers": {"location": "http://elsewhere.example/"}})
    assert quiet_api.get("/sessions").headers["location"] == "http://elsewhere.example/"
    quiet.faults.set({"kind": "canned", "body": "[" * 1_000})
    assert quiet_api.get("/sessions").text == "[" * 1_000


def test_pages_shift(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    for _ in range(6):
        quiet.running_session()
        quiet.advance(1)
    quiet.faults.set("shift_pages")
    first, second = (quiet_api.get(f"/sessions?page={page}&page_size=3").json() for page in (1, 2))
    assert second["total"] == first["total"] + 1
    assert first["sessions"][-1]["id"] == second["sessions"][0]["id"]


def test_orders(sim: RunningSimulator, api: httpx.Client) -> None:
    def created() -> list[str]:
        return [session["createdAt"] for session in api.get("/sessions?page_size=100").json()["sessions"]]

    assert created() == sorted(created(), reverse=True)
    sim.faults.set("order=oldest")
    assert created() == sorted(created())
    sim.faults.set("order=random")
    assert created() != created()


def test_strange_values_and_fields(sim: RunningSimulator, api: httpx.Client) -> None:
    sim.faults.set({"kind": "unknown_enums", "share": 0.3}, {"kind": "new_fields"})
    sessions = api.get("/sessions?page_size=100").json()["sessions"]
    strange = next(s for s in sessions if s["status"] == "hibernating")
    assert {"claude-next-9"} <= {s["model"] for s in sessions}
    assert any(s["proxyCountryCode"] == "zz" for s in sessions)
    assert all("agentRelease" in s for s in sessions)
    assert api.get(f"/sessions/{strange['id']}").json()["status"] == "hibernating"


def test_a_stop_may_be_ignored(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    quiet.faults.set("stop_ignored")
    assert quiet_api.post(f"/sessions/{session}/stop", json={"strategy": "session"}).status_code == 200
    quiet.advance(30)
    assert quiet_api.get(f"/sessions/{session}").json()["status"] == "running"


@pytest.mark.parametrize(("strategy", "after"), [("task", "idle"), ("session", "stopped")])
def test_a_stop_may_be_late(
    quiet: RunningSimulator, quiet_api: httpx.Client, strategy: str, after: str
) -> None:
    session = quiet.running_session().id
    quiet.faults.set(stop_delayed=40)
    assert (
        quiet_api.post(f"/sessions/{session}/stop", json={"strategy": strategy}).json()["status"] == "running"
    )
    steps = quiet_api.get(f"/sessions/{session}").json()["stepCount"]
    quiet.advance(39)
    reply = quiet_api.get(f"/sessions/{session}").json()
    assert reply["status"] == "running"
    assert reply["stepCount"] > steps
    quiet.advance(2)
    assert quiet_api.get(f"/sessions/{session}").json()["status"] == after


def test_a_stop_may_work_and_not_say_so(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    quiet.faults.set("stop_drops_after_effect")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        quiet_api.post(f"/sessions/{session}/stop", json={"strategy": "session"})
    assert quiet_api.get(f"/sessions/{session}").json()["status"] == "stopped"


def test_faults_are_switched_over_http(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    lever = f"{quiet.origin}/_simulator/faults"
    assert httpx.post(lever, json={"spec": "server_error=1"}).json()["faults"][0]["kind"] == "server_error"
    assert quiet_api.get("/sessions").status_code >= 500
    httpx.post(lever, json=[{"kind": "rate_limit", "count": 1}]).raise_for_status()
    assert [quiet_api.get("/sessions").status_code for _ in range(2)] == [429, 200]
    assert httpx.get(lever).json()["faults"][0]["count"] == 0
    assert httpx.post(lever, json={"kind": "locusts"}).status_code == 422
    assert httpx.delete(lever).json() == {"faults": []}


def test_pictures_fail_only_when_named(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    quiet.advance(30)
    url = quiet_api.get(f"/sessions/{session}").json()["screenshotUrl"]
    quiet.faults.set(server_error=True)
    assert httpx.get(url).status_code == 200
    quiet.faults.set({"kind": "server_error", "path": "/pictures"})
    assert httpx.get(url).status_code >= 500
    assert quiet_api.get("/sessions").status_code == 200


def test_the_text_form() -> None:
    faults = parse("rate_limit=0.1,retry_after=7,slow=0.2:3,shift_pages,order=random,stop_delayed=30")
    assert [(f.kind, f.probability) for f in faults] == [
        ("rate_limit", 0.1), ("slow", 0.2), ("shift_pages", 1.0), ("order", 1.0), ("stop_delayed", 1.0),
    ]  # fmt: skip
    assert (faults[0].retry_after, faults[1].seconds, faults[3].order, faults[4].seconds) == (
        7,
        3.0,
        "random",
        30.0,
    )
    with pytest.raises(ValueError, match="locusts"):
        parse("locusts=1")


def test_a_probability_is_kept() -> None:
    faults = Faults([Fault("server_error", 0.25)])
    hits = sum(faults.take(("server_error",), "GET", "/api/v3/sessions") is not None for _ in range(2_000))
    assert 400 < hits < 600


def test_a_throttle_lets_as_many_through_as_it_says(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    quiet.faults.set("throttle=5,retry_after=7")
    answers = [quiet_api.get("/sessions") for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 5 <= 20 - len(refused) <= 15 and refused
    assert all(answer.headers["retry-after"] == "7" for answer in refused)
