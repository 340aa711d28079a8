"""From the click to the POST on the wire, with an idle poller and with one that has used up its budget; a bulk of 500.

A whole floor, as `make run` starts it, against a simulator in this process that notes when each POST arrives.  The
person is one HTTP client: click and arrival are told by the same clock.
"""

import os
import time
from collections.abc import Callable, Iterator
from statistics import quantiles

import httpx

from bench.harness import Row
from sessions_app.simulator.testing import RunningSimulator, running_simulator
from tests.support.floor import ADMIN, PASSWORD, Floor

GOAL = "stops"
CLICKS = 40
CROWD = 1_000
PER_SECOND = 8
"""So little that a sweep of the crowd is always waiting for its turn."""
BULK = int(os.environ.get("BENCH_BULK", "500"))
BULK_PER_SECOND = 50
REQUESTS_PER_STOP = 4
"""A read before, the POST, and two reads that prove it."""
PATIENCE_S = 600.0


def rows(database: str) -> Iterator[Row]:
    with running_simulator(sessions=2) as sim, _floor(sim) as floor:
        person = _Person(floor)
        idle = _clicks(sim, person)
        for _ in range(CROWD):
            sim.running_session(keep_alive=True, pace_ms=60_000)
        sim.faults.set({"kind": "throttle", "per_second": PER_SECOND, "path": "/sessions", "method": "GET"})
        time.sleep(15)
        busy = _clicks(sim, person)
        yield _row(f"click to POST, idle poller, {CLICKS} clicks, p50 / p99", idle, None)
        yield _row(f"the same with {CROWD:,} sessions and {PER_SECOND} requests/s for reading", busy, idle)
    with running_simulator(sessions=2) as sim, _floor(sim) as floor:
        yield from _bulk(sim, _Person(floor))


def _floor(sim: RunningSimulator) -> Floor:
    environ = {"BROWSER_USE_BASE_URL": sim.base_url, "BROWSER_USE_API_KEY": sim.key}
    if url := os.environ.get("DATABASE_URL"):
        environ["DATABASE_URL"] = url
    return Floor(environ)


class _Person:
    """A client that is signed in."""

    def __init__(self, floor: Floor) -> None:
        self._client = httpx.Client(base_url=floor.url, timeout=60)
        self._client.get("/accounts/login/")
        self.post("/accounts/login/", login=ADMIN, password=PASSWORD)

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def post(self, path: str, **form: str) -> httpx.Response:
        token = self._client.cookies.get("csrftoken") or ""
        answer = self._client.post(path, data=form | {"csrfmiddlewaretoken": token})
        assert answer.status_code in (200, 302), (path, answer.status_code, answer.text[:300])
        return answer


def _clicks(sim: RunningSimulator, person: _Person) -> list[float]:
    """Milliseconds from the click until the vendor has the POST, sorted."""
    uuids = [str(sim.running_session(keep_alive=True, pace_ms=60_000).id) for _ in range(CLICKS)]
    _until(lambda: all(person.get(f"/sessions/{uuid}/").status_code == 200 for uuid in uuids))
    took = []
    for uuid in uuids:
        clicked = time.time()
        person.post(f"/sessions/{uuid}/stop/", strategy="session")
        _until(lambda u=uuid: _arrived(sim, u) is not None)  # type: ignore[misc]
        took.append(((_arrived(sim, uuid) or 0) - clicked) * 1_000)
    return sorted(took)


def _arrived(sim: RunningSimulator, uuid: str) -> float | None:
    path = f"/sessions/{uuid}/stop"
    return next((one["time"] for one in list(sim.requests) if one["path"].endswith(path)), None)


def _row(what: str, took: list[float], other: list[float] | None) -> Row:
    p50, p99 = _p(took, 50), _p(took, 99)
    ratio = p50 / _p(other, 50) if other else None
    return Row(
        GOAL, what, f"{p50:.0f} ms / {p99:.0f} ms", ratio, "≤ 2×" if other else "", ratio and ratio <= 2, ""
    )


def _p(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _bulk(sim: RunningSimulator, person: _Person) -> Iterator[Row]:
    """Against what a vendor that allows BULK_PER_SECOND requests a second makes possible at best."""
    uuids = [str(sim.running_session(keep_alive=True, pace_ms=60_000).id) for _ in range(BULK)]
    for uuid in uuids:
        _until(lambda u=uuid: person.get(f"/sessions/{u}/stop/?strategy=session").status_code == 200)  # type: ignore[misc]
    draft = person.post("/stops/bulk/", session=" ".join(uuids)).headers["Location"]
    sim.faults.set({"kind": "throttle", "per_second": BULK_PER_SECOND})
    clicked = time.monotonic()
    person.post(draft, strategy="session", reason="bench", typed=str(BULK))
    sessions = sim.world.sessions
    _until(lambda: all(sessions[uuid].status == "stopped" for uuid in uuids))
    stopped_s = time.monotonic() - clicked
    _until(lambda: 'data-pending="0"' in person.get(draft).text)
    proven_s = time.monotonic() - clicked
    limit_s = BULK * REQUESTS_PER_STOP / BULK_PER_SECOND
    what = f"bulk of {BULK}, all stopped / proven; the limit is {REQUESTS_PER_STOP} requests each at {BULK_PER_SECOND}/s"
    yield Row(
        GOAL,
        what,
        f"{stopped_s:.0f} s / {proven_s:.0f} s",
        proven_s / limit_s,
        "",
        None,
        f"limit {limit_s:.0f} s",
    )


def _until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
