"""One terminal for all: every line with the time and the name of who speaks.

A reader that doesn't read (a paused pager, a full pipe) must not stall the floor: a thread writes, and what
it can't get rid of is dropped and counted.
"""

import io
import os
import queue
import sys
import threading
import time
from typing import TextIO

COLOURS = {
    "web": 36,
    "poller": 32,
    "watcher": 92,
    "worker": 34,
    "beat": 35,
    "simulator": 33,
    "valkey": 31,
    "up": 1,
}
WIDTH = 9
BACKLOG_LINES = 5_000


class Console:
    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="replace")  # a Latin-1 terminal gets "?" for a frame, not nothing
        self.coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._lines: queue.Queue[str | None] = queue.Queue(BACKLOG_LINES)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, daemon=True, name="console")
        self._writer.start()

    def line(self, name: str, text: str) -> None:
        """`text` (one line, without its end) as said by `name`."""
        clock = time.strftime("%H:%M:%S")
        self.raw(f"{self.paint(2, clock)} {self.paint(COLOURS.get(name, 1), name.ljust(WIDTH))} {text}")

    def say(self, text: str) -> None:
        """A line of our own."""
        self.line("up", text)

    def raw(self, text: str) -> None:
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def paint(self, code: int, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.coloured else text

    def close(self, wait_s: float = 1.0) -> None:
        """Write what is left, as far as `wait_s` goes."""
        try:
            self._lines.put(None, timeout=wait_s)
        except queue.Full:
            return
        self._writer.join(wait_s)

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            if self._dropped and self._lines.empty():
                dropped, self._dropped = self._dropped, 0
                text += f"\n… {dropped} lines were dropped: nobody read them"
            try:
                self._stream.write(text + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # the terminal is gone; the floor stays
                continue
        try:
            self._stream.flush()
        except (OSError, ValueError):
            pass
