"""The simulator's webhooks: signed as the vendor documents it, about three statuses only, sent again after a 5xx."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from sessions_app.simulator.testing import RunningSimulator, running_simulator
from sessions_app.upstream import webhooks
from sessions_app.upstream.webhooks import News

SECRET = "whsec_of_a_receiver"


class Receiver:
    """Keeps what came in: (headers, body).  `answers` are the statuses to give, 200 when there are no more."""

    def __init__(self) -> None:
        self.url = ""
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    def news(self) -> list[News]:
        """As our own reader believes them."""
        return [
            webhooks.read(SECRET, headers[webhooks.TIMESTAMP_HEADER], headers[webhooks.SIGNATURE_HEADER], body, time.time())
            for headers, body in self.came
        ]  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.came.append((dict(self.headers), body))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/webhooks/browser-use/sim/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def stop(sim: RunningSimulator, session_id: str, strategy: str) -> None:
    body = {"strategy": strategy}
    httpx.post(
        f"{sim.base_url}/sessions/{session_id}/stop", json=body, headers=sim.headers
    ).raise_for_status()
    sim.advance(30)


def test_each_new_status_is_told_and_believed(quiet: RunningSimulator, receiver: Receiver) -> None:
    session = quiet.running_session()
    quiet.webhooks.url, quiet.webhooks.secret = receiver.url, SECRET
    stop(quiet, session.id, "task")
    stop(quiet, session.id, "session")
    eventually(lambda: len(quiet.webhooks.sent) == 2)
    assert [one["status"] for one in quiet.webhooks.sent] == ["idle", "stopped"]
    assert {(one.kind, str(one.session)) for one in receiver.news()} == {
        ("agent.task.status_update", session.id)
    }


def test_an_ending_that_the_vendor_does_not_tell(quiet: RunningSimulator, receiver: Receiver) -> None:
    session, other = quiet.running_session(), quiet.running_session()
    quiet.webhooks.url = receiver.url
    session.status = "error"
    quiet.webhooks.note(session, 0)
    quiet.webhooks.note(other, 0)
    eventually(lambda: len(quiet.webhooks.sent) == 1)
    assert quiet.webhooks.sent[0]["session_id"] == other.id


def test_told_again_after_a_5xx_and_never_after_a_4xx(quiet: RunningSimulator, receiver: Receiver) -> None:
    session = quiet.running_session()
    quiet.webhooks.url, quiet.webhooks.secret = receiver.url, SECRET
    receiver.answers = [503, 200, 401]
    stop(quiet, session.id, "task")
    stop(quiet, session.id, "session")
    eventually(lambda: len(quiet.webhooks.sent) == 2)
    assert [one["answer"] for one in quiet.webhooks.sent] == [200, 401]
    assert len(receiver.came) == 3


def test_set_over_http(receiver: Receiver) -> None:
    with running_simulator(sessions=0) as sim:
        lever = f"{sim.origin}/_simulator/webhooks"
        assert httpx.post(lever, json={"url": receiver.url, "secret": SECRET}).json()["url"] == receiver.url
        assert sim.webhooks.post("test", {}) == 200
        assert receiver.news() == [News("test", None)]
        assert httpx.delete(lever).json() == {"url": "", "sent": []}


def test_nobody_there_is_no_drama(quiet: RunningSimulator) -> None:
    quiet.webhooks.url = "http://127.0.0.1:9/"
    assert quiet.webhooks.post("test", {}) == 0
