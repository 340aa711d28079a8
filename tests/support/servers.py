"""Starting a server for the length of a `with`, tied to this process: nothing stays behind a killed run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dashboard.processes.programs import LAUNCHER


@contextmanager
def running(
    command: Sequence[str],
    ready: Callable[[], bool],
    log: Path,
    *,
    environ: Mapping[str, str] | None = None,
    within_s: float = 20,
    stop_by: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """`command`, once `ready()`.  Raises RuntimeError with the end of its log if that takes too long."""
    launched = [sys.executable, "-I", "-S", LAUNCHER, "KILL", str(os.getpid()), *command]
    with log.open("wb") as output:
        process = subprocess.Popen(launched, stdout=output, stderr=subprocess.STDOUT, env=environ)
    try:
        deadline = time.monotonic() + within_s
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(stop_by)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
