"""One program: started, listened to, started again when it dies, stopped when asked."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from dashboard.processes.programs import LAUNCHER, Program

HEALTHY_AFTER_S = 60.0
LONGEST_PAUSE_S = 30.0
LONGEST_LINE = 8_000  # bytes; a longer one is printed in pieces

Say = Callable[[str, str], None]  # (name, line)


class Backoff:
    """How long to wait before the next start: 1, 2, 4 … 30 s, from the beginning after a healthy minute."""

    def __init__(self) -> None:
        self._failures = 0

    def pause_s(self, lived_s: float) -> float:
        self._failures = 0 if lived_s >= HEALTHY_AFTER_S else self._failures
        self._failures += 1
        return min(2.0 ** (self._failures - 1), LONGEST_PAUSE_S)


class Child:
    """`start()` keeps the program running until `stop()`.  All in one event loop, on the main thread: the
    kernel ties a child to the *thread* that made it."""

    def __init__(self, program: Program, environ: Mapping[str, str], say: Say) -> None:
        self.program = program
        self.name = program.name
        self.starts = 0
        self.ended = asyncio.Event()  # set while there is no process
        self.ended.set()
        self.last_lines: list[str] = []
        self._environ, self._say = environ, say
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self._restart_at_once = False
        self._stopping = False
        self.before_start: Callable[[], None] = lambda: None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def up_for_s(self) -> float:
        """Seconds since its last start; 0 while it is down."""
        return time.monotonic() - self._started_at if self._process else 0.0

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def restart(self, reason: str) -> None:
        """Replace it by a new one, at once."""
        self._say(self.name, f"restarted: {reason}")
        self._restart_at_once = True
        await self._end(self.program.grace_s)

    async def stop(self) -> None:
        """Stop for good: SIGTERM, then after its grace SIGKILL to all it started."""
        self._stopping = True
        if self._keeper and not self.ended.is_set():
            await self._end(self.program.grace_s)
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole process group."""
        if self._process:
            _signal_group(self._process.pid, signal.SIGKILL)

    async def _end(self, grace_s: float) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                self._process.terminate()
        try:
            await asyncio.wait_for(self.ended.wait(), grace_s)
        except TimeoutError:
            self.kill()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), 1)

    async def _keep(self) -> None:
        backoff = Backoff()
        while not self._stopping:
            code = await self._run_once()
            if self._stopping or self._restart_at_once:
                self._restart_at_once = False
                continue
            pause_s = backoff.pause_s(time.monotonic() - self._started_at)
            self._say(self.name, f"ended ({_described(code)}); again in {pause_s:g} s")
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> int:
        self.before_start()
        self._started_at = time.monotonic()
        self.starts += 1
        # A pipe of our own: asyncio's wait() would wait for the end of its pipe, too, and a grandchild
        # that outlives the program would hold that open.
        reading, writing = os.pipe()
        try:
            self._process = process = await self._spawn(writing)
        except OSError as error:  # out of processes, memory or files
            self._say(self.name, f"could not be started: {error}")
            os.close(reading)
            return 1
        finally:
            os.close(writing)
        self.ended.clear()
        listener = asyncio.create_task(self._listen(reading))
        try:
            code = await process.wait()
            # What it had started (a worker's pool) must not outlive it.
            _signal_group(process.pid, signal.SIGKILL)
            await asyncio.wait({listener}, timeout=0.2)
        finally:
            listener.cancel()
            self._process = None
            self.ended.set()
        return code

    async def _spawn(self, output: int) -> asyncio.subprocess.Process:
        program = self.program
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", LAUNCHER, program.orphaned, str(os.getpid()), *program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self._environ},
            pass_fds=program.pass_fds,
            # A session of its own: the terminal's Ctrl-C reaches the supervisor only, which stops in order.
            start_new_session=True,
        )  # fmt: skip

    async def _listen(self, pipe: int) -> None:
        reader, rest = asyncio.StreamReader(), b""
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
        )
        try:
            while chunk := await reader.read(65_536):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._tell(line)
            self._tell(rest)
        finally:
            transport.close()

    def _tell(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if text and not (self.program.hush and re.search(self.program.hush, text)):
            self.last_lines = [*self.last_lines[-4:], text]
            self._say(self.name, text)


def _signal_group(pid: int, signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signum)


def _described(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
