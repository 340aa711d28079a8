"""A vendor, workers and beat for benches that need the real ones."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from django.conf import settings

from dashboard.processes.choices import Choices
from dashboard.processes.programs import Program


class Vendor(NamedTuple):
    origin: str

    def limit(self, per_second: float) -> None:
        spec = f"throttle={per_second:g},retry_after=1"
        self._http("POST", "/_simulator/faults", json={"spec": spec}).raise_for_status()

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = self._http("GET", "/_ages").json()
        return told

    def _http(self, method: str, path: str, **more: object) -> httpx.Response:
        return httpx.request(method, self.origin + path, timeout=20, trust_env=False, **more)  # type: ignore[arg-type]


@contextmanager
def running_vendor(sessions: int, past: int = 0) -> Iterator[Vendor]:
    """See `ages_vendor`."""
    command = [sys.executable, "-m", "bench.ages_vendor", str(sessions), str(past)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Vendor(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


def choices() -> Choices:
    return Choices(
        host="127.0.0.1",
        port=0,
        data_dir=Path(settings.DATA_DIR),
        redis_url=settings.REDIS_URL,
        embedded_broker=False,
        simulator=False,
    )


def numbered(program: Program, number: int) -> Program:
    """Two of the same need different names."""
    command = tuple(part.replace("poller-", f"poller{number}-") for part in program.command)
    return Program(f"{program.name}{number}", command, program.grace_s)


def start(program: Program) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.command,
        env=os.environ | {"LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(program: Program) -> Iterator[None]:
    process = start(program)
    try:
        yield
    finally:
        kill(process)
