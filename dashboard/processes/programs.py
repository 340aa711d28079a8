"""What to run → command lines.  One list, in the order of stopping (the web first, the broker last)."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dashboard.processes import valkey
from dashboard.processes.choices import Choices
from dashboard.processes.layout import socket_path

LAUNCHER = str(Path(__file__).with_name("launch.py"))
BEAT = "beat"
#: Queue → program.
WORKERS = {
    "poll": "poller", "stops": "poller", "watched": "watcher", "messages": "watcher", "pictures": "worker", "default": "worker",
}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """One thing to keep running.  `grace_s`: from SIGTERM to SIGKILL of its whole process group."""

    name: str
    command: tuple[str, ...]
    grace_s: float
    #: What the kernel sends when the supervisor is killed.  KILL can't be ignored or take its time.
    orphaned: Literal["KILL", "TERM"] = "KILL"
    pass_fds: tuple[int, ...] = ()
    #: Lines that match are not worth anybody's eye.
    hush: str = ""


def web(fd: int) -> Program:
    return Program("web", _python("dashboard.processes.web", str(fd)), grace_s=4, pass_fds=(fd,))


def beat() -> Program:
    return Program(
        BEAT,
        _celery("beat", "-S", "redbeat.RedBeatScheduler", "--pidfile=", "--loglevel", "WARNING"),
        grace_s=3,
    )


def workers(choices: Choices) -> tuple[Program, ...]:
    """Polls and stops in one, pictures in another: a slow picture must not delay a poll.  What somebody has open is
    read by a third, in threads: it ticks too often to share a slot with sweeps, and does too little for processes.
    Messages are read there as well, in at most two of its threads: their readers wait for them, and pictures take long."""
    return (
        _worker("poller", "poll,stops", concurrency=3, port=choices.port),
        _worker("watcher", "watched,messages", concurrency=4, port=choices.port, pool="threads"),
        _worker("worker", "pictures,default", concurrency=2, port=choices.port),
    )


def simulator(choices: Choices, port: int) -> Program:
    state = choices.data_dir / "simulator.state"
    flags = ("--host", "127.0.0.1", "--port", str(port), "--state", str(state), *choices.simulator_flags)
    # TERM: it writes its state when it goes.
    return Program("simulator", _python("sessions_app.simulator", *flags), grace_s=2, orphaned="TERM")


def broker(choices: Choices) -> Program:
    """The embedded Valkey.  Raises CannotStart when this machine has no server to run."""
    command = valkey.command(socket_path(choices.data_dir), choices.data_dir / "valkey")
    return Program("valkey", tuple(command), grace_s=2, hush="overcommit|Received SIGTERM|ready to exit")


def _worker(name: str, queues: str, concurrency: int, port: int, pool: str = "prefork") -> Program:
    flags = ("-Q", queues, "-P", pool, "-c", str(concurrency), "-n", f"{name}-{port}@%h", "-O", "fair")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")
    return Program(name, _celery("worker", *flags, *quiet), grace_s=4)


def _celery(*arguments: str) -> tuple[str, ...]:
    # --skip-checks: `make check` has run Django's system checks; here they would cost 0.3 s per process.
    return _python("celery", "-A", "dashboard.celery", "-q", "--skip-checks", *arguments)


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
