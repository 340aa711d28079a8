"""The whole product, for real: `manage.py up` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from dashboard.processes.ports import free_port
from dashboard.processes.programs import LAUNCHER
from tests.support.environment import ROOT, clean_environ, temporary_dir

ADMIN = "ada"
PASSWORD = "correct-horse-battery"


class Floor:
    """A running Watchfloor with its own DATA_DIR, port, broker and simulator.

    `with Floor() as floor:` waits until it answers; leaving stops it.  `environ` steers it
    (BROWSER_USE_BASE_URL, DATABASE_URL, WATCHFLOOR_SIMULATOR_SESSIONS, …); the admin is ADMIN / PASSWORD.
    """

    def __init__(self, environ: dict[str, str] | None = None, data_dir: Path | None = None) -> None:
        self.data_dir = data_dir or temporary_dir()
        self.port = free_port(0)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = self.data_dir / "up.log"
        self.environ = clean_environ() | {
            "PORT": str(self.port),
            "DATA_DIR": str(self.data_dir),
            "DJANGO_SUPERUSER_USERNAME": ADMIN,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "NO_COLOR": "1",
            **(environ or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._seen = 0  # how much of the log earlier launches have written

    def __enter__(self) -> "Floor":
        self.launch()
        try:
            self.wait_until_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def launch(self) -> None:
        """Start it, without waiting."""
        self._seen = len(self.log())
        with self.log_file.open("ab") as log:
            # Tied to this process: a killed test run leaves no floor behind.
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", LAUNCHER, "TERM", str(os.getpid()), sys.executable, "manage.py", "up"],
                cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def wait_until_up(self, within_s: float = 180) -> None:
        """Until the banner is printed (everything is started).  Raises RuntimeError with the log's end."""
        assert self.process
        deadline = time.monotonic() + within_s
        while "Watchfloor is up" not in self.log()[self._seen :]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the floor does not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def stop(self, within_s: float = 20) -> int:
        """As Ctrl-C does.  Returns the exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """kill -9 of the supervisor."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def get(self, path: str, timeout_s: float = 10) -> tuple[int, str]:
        """Status and body; redirects are followed."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout_s) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")

    def shell(self, script: str) -> subprocess.Popen[bytes]:
        """`script` in a `manage.py shell` on this floor's database and broker.  Not waited for."""
        return subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", script], cwd=ROOT, env=self.environ,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def pids(self) -> dict[str, int]:
        """Name → process id of the supervisor's children."""
        assert self.process
        return {_name(command): pid for pid, parent, command in _processes() if parent == self.process.pid}

    def everything(self) -> set[int]:
        """The ids of all living processes that belong to this floor, orphans included."""
        return {
            pid for pid, _, _ in _processes()
            if f"DATA_DIR={self.data_dir}\0" in _environ_of(pid) + "\0" and pid != os.getpid()
        }  # fmt: skip


NAMES = {
    "web": r"dashboard\.processes\.web",
    "poller": r" worker -Q poll",
    "watcher": r" worker -Q watched",
    "worker": r" worker -Q pictures",
    "beat": r" beat -S ",
    "simulator": r"sessions_app\.simulator",
    "valkey": r"valkey-server|redis-server",
}


def _name(command: str) -> str:
    return next((name for name, pattern in NAMES.items() if re.search(pattern, command)), command)


def _processes() -> list[tuple[int, int, str]]:
    lines = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split(None, 2) for line in lines.splitlines())
    return [(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]


def _environ_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
