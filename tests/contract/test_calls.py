"""What the vendor's client would never send, and the exact shape of refusals."""

import json

import httpx
import pytest

from sessions_app.simulator.testing import RunningSimulator

UNKNOWN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=0", "page_size=101", "page_size="])
def test_paging_is_validated(api: httpx.Client, query: str) -> None:
    answer = api.get(f"/sessions?{query}")
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem.keys() == {"loc", "msg", "type"}
    assert problem["loc"] == ["query", query.partition("=")[0]]


def test_a_page_behind_the_last_is_empty(api: httpx.Client) -> None:
    assert api.get("/sessions?page=5000&page_size=100").json()["sessions"] == []


@pytest.mark.parametrize("key", [None, "bu_wrong"])
def test_the_key_is_checked_first(sim: RunningSimulator, key: str | None) -> None:
    headers = {"X-Browser-Use-API-Key": key} if key else {}
    answer = httpx.get(f"{sim.base_url}/nowhere", headers=headers)
    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", f"/sessions/{UNKNOWN}", None, 404),
        ("GET", "/sessions/not-a-uuid", None, 422),
        ("POST", f"/sessions/{UNKNOWN}/stop", {"strategy": "task"}, 404),
        ("PUT", "/sessions", {}, 405),
        ("POST", "/sessions", [], 422),
        ("POST", "/sessions", {"model": "hal-9000"}, 422),
        ("POST", "/sessions", {"maxCostUsd": "a lot"}, 422),
        ("POST", "/sessions", {"proxyCountryCode": "gb"}, 422),
        ("POST", "/sessions", {"sessionId": UNKNOWN, "task": "x"}, 404),
        ("GET", "/browsers?filterBy=asleep", None, 422),
        ("PATCH", f"/browsers/{UNKNOWN}", {"action": "stop"}, 404),
        ("GET", f"/profiles/{UNKNOWN}", None, 404),
    ],
)  # fmt: skip
def test_refusals(api: httpx.Client, method: str, path: str, body: object, status: int) -> None:
    answer = api.request(method, path, json=body)
    assert answer.status_code == status
    assert "detail" in answer.json()


def test_the_strategy_is_an_enum_and_defaults_to_session(
    quiet: RunningSimulator, quiet_api: httpx.Client
) -> None:
    session = quiet.running_session().id
    assert quiet_api.post(f"/sessions/{session}/stop", json={"strategy": "gently"}).status_code == 422
    assert quiet_api.post(f"/sessions/{session}/stop").json()["status"] == "stopped"


def test_a_running_session_takes_no_second_task(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    assert quiet_api.post("/sessions", json={"sessionId": session, "task": "another"}).status_code == 409
    assert quiet_api.post("/sessions", json={"sessionId": session}).status_code == 422


def test_a_limit_ends_the_task_not_the_session(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session(max_cost_micros=5_000, keep_alive=True).id
    quiet.advance(120)
    reply = quiet_api.get(f"/sessions/{session}").json()
    assert (reply["status"], reply["isTaskSuccessful"]) == ("idle", False)
    assert "cost limit" in reply["output"]


def test_without_keep_alive_it_stops_by_itself(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet_api.post("/sessions", json={"task": "Check the stock"}).json()["id"]
    quiet.advance(60 * 25)
    reply = quiet_api.get(f"/sessions/{session}").json()
    assert (reply["status"], reply["isTaskSuccessful"]) == ("stopped", True)


def test_cursors_are_checked(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    assert quiet_api.get(f"/sessions/{session}/messages?after=x").status_code == 422
    assert quiet_api.get(f"/sessions/{session}/messages?after={UNKNOWN}").status_code == 404
    assert quiet_api.get(f"/sessions/{session}/messages?limit=101").status_code == 422


def test_one_connection_serves_many_requests(api: httpx.Client) -> None:
    for _ in range(5):
        answer = api.get("/sessions?page_size=1")
    assert "connection" not in answer.headers or answer.headers["connection"] == "keep-alive"


def test_a_reply_can_be_forced(quiet: RunningSimulator, quiet_api: httpx.Client) -> None:
    session = quiet.running_session().id
    nasty = {"title": "<img src=x onerror=alert(1)>", "totalCostUsd": "+.5", "liveUrl": "javascript:alert(1)"}
    httpx.post(f"{quiet.origin}/_simulator/sessions/{session}", json=nasty).raise_for_status()
    assert quiet_api.get(f"/sessions/{session}").json().items() >= nasty.items()
    httpx.delete(f"{quiet.origin}/_simulator/sessions/{session}").raise_for_status()
    assert quiet_api.get(f"/sessions/{session}").json()["liveUrl"].startswith("http://")


def test_requests_are_logged_without_the_key(sim: RunningSimulator, api: httpx.Client) -> None:
    session = sim.running_session().id
    api.post(f"/sessions/{session}/stop", json={"strategy": "task"})
    log = httpx.get(f"{sim.origin}/_simulator/requests").json()["requests"]
    assert (log[-1]["method"], log[-1]["path"]) == ("POST", f"/api/v3/sessions/{session}/stop")
    assert json.loads(log[-1]["body"]) == {"strategy": "task"}
    assert sim.key not in json.dumps(log)
    assert sim.calls("POST", f"/sessions/{session}/stop") == 1


def test_the_levers_want_json(sim: RunningSimulator) -> None:
    """A form on a web page cannot send this content type without asking first."""
    answer = httpx.post(
        f"{sim.origin}/_simulator/faults", content="{}", headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 415
