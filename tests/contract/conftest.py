"""The simulator over real HTTP: `sim` stands still until a test moves its clock."""

from collections.abc import Iterator

import httpx
import pytest

from sessions_app.simulator.testing import RunningSimulator, running_simulator


@pytest.fixture
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(sessions=40, clock="manual") as running:
        yield running


@pytest.fixture
def quiet() -> Iterator[RunningSimulator]:
    """Nobody there but whom the test creates."""
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


@pytest.fixture
def api(sim: RunningSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sim.base_url, headers=sim.headers, trust_env=False) as client:
        yield client


@pytest.fixture
def quiet_api(quiet: RunningSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=quiet.base_url, headers=quiet.headers, trust_env=False, timeout=5) as client:
        yield client
