"""`manage.py up`, for real: one command starts everything, nothing stays behind, what dies comes back."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from dashboard.processes.layout import socket_path
from dashboard.processes.ports import free_port
from tests.support.environment import ROOT, clean_environ, temporary_dir
from tests.support.floor import Floor

pytestmark = pytest.mark.timeout(180)

EVERYBODY = {"web", "poller", "watcher", "worker", "beat", "simulator", "valkey"}


def eventually(true: Callable[[], object], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def own_floor() -> Iterator[Floor]:
    """A floor that these tests may break; each leaves it standing."""
    with Floor() as floor:
        yield floor


def refused(**environ: str) -> str:
    """What `up` says, with this environment, before it gives up."""
    environ = clean_environ() | {"DATA_DIR": str(temporary_dir())} | environ
    command = [sys.executable, "manage.py", "up"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_everybody_is_there_and_the_banner_says_where(own_floor):
    assert own_floor.get("/healthz")[0] == 200
    assert own_floor.get("/accounts/login/")[0] == 200
    eventually(lambda: set(own_floor.pids()) == EVERYBODY)
    assert f"http://127.0.0.1:{own_floor.port}/" in own_floor.log()


def test_what_is_written_is_private(own_floor):
    for name in ("", "run", "keys", "valkey"):
        assert (own_floor.data_dir / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize("name", sorted(EVERYBODY))
def test_whoever_is_killed_comes_back(own_floor, name):
    eventually(lambda: name in own_floor.pids())
    killed = own_floor.pids()[name]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: own_floor.pids().get(name, killed) != killed)
    assert f"{name.ljust(9)} ended (SIGKILL)" in own_floor.log()
    assert own_floor.get("/healthz", timeout_s=20)[0] == 200


def test_a_page_asked_for_while_the_web_restarts_is_late_but_not_lost(own_floor):
    os.kill(own_floor.pids()["web"], signal.SIGKILL)
    assert own_floor.get("/healthz", timeout_s=20)[0] == 200


def test_a_second_one_on_the_same_data_is_refused(own_floor):
    said = refused(DATA_DIR=str(own_floor.data_dir), PORT=str(free_port(0)))
    assert said.startswith(f"{own_floor.data_dir} is in use by process {own_floor.process.pid}")


def test_a_taken_port_is_said_in_one_line_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        said = refused(PORT=str(port))
    assert said.startswith(f"Port {port} is taken")
    assert len(said.splitlines()) == 1


def test_a_base_url_without_a_key_is_said_in_one_line():
    assert "BROWSER_USE_API_KEY is not" in refused(BROWSER_USE_BASE_URL="http://127.0.0.1:9/api/v3")


def test_a_deep_data_dir_with_blanks_works():
    deep = temporary_dir() / "/".join(["a directory with a long name"] * 5)
    deep.mkdir(parents=True)
    with Floor(data_dir=deep) as floor:
        assert floor.get("/healthz")[0] == 200
        eventually(lambda: set(floor.pids()) == EVERYBODY)
    shutil.rmtree(socket_path(deep).parent)


def test_kill_9_of_the_supervisor_leaves_nothing_behind(own_floor):
    own_floor.kill()
    eventually(lambda: not own_floor.everything(), within_s=5)
    own_floor.launch()
    own_floor.wait_until_up()


def test_ctrl_c_stops_everything_in_time(own_floor):
    began = time.monotonic()
    assert own_floor.stop() == 0
    assert time.monotonic() - began < 12
    assert own_floor.everything() == set()
