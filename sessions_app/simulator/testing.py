"""The simulator inside a test, over real HTTP:

with running_simulator(sessions=0, clock="manual") as sim:
    session = sim.running_session(model="bu-mini")
    sim.faults.set(server_error=1)      # or {"kind": …}, or "slow=0.5:2"
    sim.advance(30)
    httpx.get(f"{sim.base_url}/sessions", headers={"X-Browser-Use-API-Key": sim.key})
    assert sim.calls("GET", "/sessions") == 1
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import routes, state
from .clock import ManualClock, WallClock
from .faults import Faults
from .model import Session
from .server import Simulator, listen, server_of
from .webhooks import Webhooks
from .world import World

START_MS = 1_781_000_000_000  # June 2026: where a manual clock begins, so that runs are alike


class RunningSimulator:
    """What a test holds while the server runs in a thread of this process."""

    def __init__(self, simulator: Simulator, port: int) -> None:
        self.simulator = simulator
        self.origin = f"http://127.0.0.1:{port}"
        self.base_url = self.origin + routes.PREFIX
        self.key = simulator.key

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Browser-Use-API-Key": self.key}

    @property
    def world(self) -> World:
        return self.simulator.world

    @property
    def faults(self) -> Faults:
        return self.simulator.faults

    @property
    def requests(self) -> deque[dict[str, Any]]:
        """The last thousand requests: {method, path, query, body, time, status}, oldest first."""
        return self.simulator.requests

    @property
    def webhooks(self) -> Webhooks:
        """Set its `url` and `secret`, and each new status is told there."""
        return self.simulator.webhooks

    def calls(self, method: str, path: str = "") -> int:
        """How often a path (a prefix, below /api/v3) was called."""
        return sum(
            one["method"] == method and one["path"].startswith(routes.PREFIX + path)
            for one in list(self.requests)
        )

    def advance(self, seconds: float) -> None:
        """Move a manual clock, and the world with it."""
        assert isinstance(self.simulator.clock, ManualClock), "running_simulator(clock='manual') only"
        with self.simulator.lock:
            self.simulator.clock.advance(seconds)
            self.world.advance_to(self.simulator.clock.now_ms())

    def running_session(self, prompt: str = "Compare three offers", **fields: Any) -> Session:
        """A new session that is already running; `fields` are those of `model.Session` (model, country, max_cost_micros, …)."""
        with self.simulator.lock:
            self.world.advance_to(self.simulator.clock.now_ms())
            return self.world.running_session(prompt, **fields)

    def force(self, session_id: str, **reply: Any) -> None:
        """Fields of that session's replies, as upstream would name them; whatever their type."""
        with self.simulator.lock:
            self.world.sessions[session_id].forced |= reply


@contextmanager
def running_simulator(
    *, sessions: int = 12, seed: int = 7, speed: float = 1.0, key: str = "bu_simulator", clock: str = "wall",
    start_ms: int = START_MS, faults: Any = (), state_file: Path | None = None, port: int = 0,
) -> Iterator[RunningSimulator]:  # fmt: skip
    """Serve on a free loopback port until the block ends. `clock`: "wall", or "manual" beginning at `start_ms`."""
    ticking = ManualClock(start_ms) if clock == "manual" else WallClock()
    world = state.open_world(state_file, seed=seed, sessions=sessions, speed=speed, now=ticking.now_ms())
    simulator = Simulator(world, ticking, key, Faults((), seed), state_file)
    if faults:
        simulator.faults.set(faults)
    listener = listen("127.0.0.1", port)
    server = server_of(simulator)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
    )
    thread.start()
    try:
        _wait_until(lambda: server.started or not thread.is_alive())
        yield RunningSimulator(simulator, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _wait_until(ready: Any) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError("the simulator did not start")
        time.sleep(0.005)
