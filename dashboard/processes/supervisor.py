"""The conductor: starts everything, shows the banner, waits for a signal, stops everything in order."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dashboard.processes import programs, valkey, watchdog
from dashboard.processes.banner import banner
from dashboard.processes.child import Child
from dashboard.processes.choices import Choices, environment
from dashboard.processes.console import Console
from dashboard.processes.errors import CannotStart
from dashboard.processes.layout import socket_path
from dashboard.processes.ports import free_port

BROKER_READY_S = 20.0  # a long append-only file takes a while to load
WEB_HEAD_START_S = 6.0  # the page first: workers import for seconds, on cores the web needs
PATIENCE_S = 30.0
STOP_ORDER = (("web", "beat"), ("poller", "watcher", "worker"), ("simulator",), ("valkey",))

Prepare = Callable[[dict[str, str]], Sequence[str]]  # children's environment → how to sign in


class Supervisor:
    def __init__(self, choices: Choices, listener: socket.socket, prepare: Prepare, console: Console) -> None:
        self._choices, self._listener, self._prepare, self._console = choices, listener, prepare, console
        self._children: dict[str, Child] = {}
        self._interrupted = asyncio.Event()
        self._began = time.monotonic()

    async def run(self) -> int:
        """Until Ctrl-C, SIGTERM or SIGHUP.  The exit code: 0 after a clean stop, 1 if it couldn't start."""
        self._catch_signals()
        raise_file_limit()
        floor = asyncio.create_task(self._floor())
        stop = asyncio.create_task(self._interrupted.wait())
        await asyncio.wait({floor, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        floor.cancel()
        ended = (await asyncio.gather(floor, return_exceptions=True))[0]
        await self._stop_all()
        if isinstance(ended, Exception):
            raise ended
        return 0

    # ---- start ---------------------------------------------------------------------------------------

    async def _floor(self) -> None:
        simulator_port = free_port(self._choices.port + 1) if self._choices.simulator else None
        environ = environment(self._choices, simulator_port)
        if simulator_port:
            self._start(programs.simulator(self._choices, simulator_port), environ)
        if self._choices.embedded_broker:
            await self._start_broker(environ)
        sign_in = await asyncio.to_thread(self._prepare, environ)
        self._start(programs.web(self._listener.fileno()), environ)
        answered = asyncio.create_task(self._web_answers())
        await asyncio.wait({answered}, timeout=WEB_HEAD_START_S)
        self._start_workers(environ)
        await self._welcome(answered, sign_in)
        await watchdog.watch(self._choices.redis_url, self._children)

    def _start(self, program: programs.Program, environ: dict[str, str]) -> Child:
        child = self._children[program.name] = Child(program, environ, self._console.line)
        child.start()
        return child

    async def _start_broker(self, environ: dict[str, str]) -> None:
        broker = self._start(programs.broker(self._choices), environ)
        path = socket_path(self._choices.data_dir)
        deadline = time.monotonic() + BROKER_READY_S
        while not await valkey.answers(path):
            if broker.starts > 1 or time.monotonic() > deadline:
                raise CannotStart(f"The embedded broker doesn't start: {' '.join(broker.last_lines[-2:])}")
            await asyncio.sleep(0.02)

    def _start_workers(self, environ: dict[str, str]) -> None:
        for program in programs.workers(self._choices):
            self._start(program, environ)
        beat = Child(programs.beat(), environ, self._console.line)
        if self._choices.embedded_broker:
            beat.before_start = lambda: drop_beat_lock(self._choices.redis_url)
        self._children[beat.name] = beat
        beat.start()

    async def _web_answers(self) -> None:
        while not await answers(self._choices, "/healthz"):
            await asyncio.sleep(0.1)

    async def _welcome(self, answered: asyncio.Task[None], sign_in: Sequence[str]) -> None:
        await asyncio.wait({answered}, timeout=PATIENCE_S)
        if not answered.done():
            self._console.say("the web doesn't answer yet: see what it says above")
        await answered
        took_s = time.monotonic() - self._began
        self._console.raw(banner(self._console, self._choices, sign_in, took_s))

    # ---- stop ----------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, self._on_signal)

    def _on_signal(self) -> None:
        if self._interrupted.is_set():
            self._console.say("killed")
            for child in self._children.values():
                child.kill()
            self._console.close(0.5)
            os._exit(1)
        self._interrupted.set()
        self._console.say("stopping (Ctrl-C again to kill)")

    async def _stop_all(self) -> None:
        self._listener.close()
        for names in STOP_ORDER:
            children = [self._children[name] for name in names if name in self._children]
            await asyncio.gather(*(child.stop() for child in children))
        if self._interrupted.is_set():
            self._console.say("stopped")


async def answers(choices: Choices, path: str) -> bool:
    """Whether the web answers `path` with anything but a server error, within 2 s."""
    host, _, port = choices.address.removeprefix("http://").rpartition(":")
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            with contextlib.closing(writer):
                writer.write(request.encode("ascii"))
                status = await reader.readline()
    except (OSError, TimeoutError):
        return False
    return status.startswith(b"HTTP/1.1 ") and status[9:10] in b"234"


def drop_beat_lock(redis_url: str) -> None:
    """A killed beat leaves its lock behind for ten seconds.  With a broker of our own there is no other
    beat, so the next one needn't wait for it."""
    import redis

    from dashboard.processes.heartbeat import BEAT_LOCK

    with contextlib.suppress(redis.RedisError), redis.from_url(redis_url, socket_timeout=1) as client:
        client.delete(BEAT_LOCK)


def raise_file_limit() -> None:
    """Thousands of open streams need as many files; the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def tie_to_make() -> None:
    """Under `make`, end when make is killed: whoever killed it meant us."""
    from dashboard.processes.launch import die_with_parent

    parent = os.getppid()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text(encoding="utf-8").strip() in {"make", "gmake"}:
            die_with_parent(signal.SIGTERM, parent)
