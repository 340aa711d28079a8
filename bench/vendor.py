"""A server that costs the measured process nothing: the vendor's list, prepared, in a process of its own.

GET /sessions?page=N…  the page, with addresses of its own at each fetch  ·  GET /generation/N  moves on to generation N
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from bench.replies import PAGE, SESSIONS, fetched, page_body

_PAGE = re.compile(rb"GET /sessions\?(?:[^ ]*&)?page=(\d+)")
_GENERATION = re.compile(rb"GET /generation/(\d+)")


class _Connection(asyncio.Protocol):
    generation = 0
    fetches = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.pending = transport, b""

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            request, _, self.pending = self.pending.partition(b"\r\n\r\n")
            body = self._answer(request)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
                body
            )
            self.transport.write(head + body)  # type: ignore[attr-defined]

    def _answer(self, request: bytes) -> bytes:
        if moved := _GENERATION.match(request):
            _Connection.generation = int(moved[1])
            page_body.cache_clear()
            for page in range(1, SESSIONS // PAGE + 1):
                page_body(page, _Connection.generation)
            return b"{}"
        page = _PAGE.match(request)
        _Connection.fetches += 1
        return (
            fetched(page_body(int(page[1]), _Connection.generation), _Connection.fetches) if page else b"{}"
        )


class Vendor:
    """`move_on()`: a tenth of the sessions changes."""

    def __init__(self, port: int) -> None:
        self.base_url, self._generation = f"http://127.0.0.1:{port}", 0
        self._http = httpx.Client(trust_env=False, timeout=60)  # here: making one costs 30 ms of CPU

    def move_on(self) -> None:
        self._generation += 1
        self._http.get(f"{self.base_url}/generation/{self._generation}")


@contextmanager
def running_vendor() -> Iterator[Vendor]:
    command = [sys.executable, "-m", "bench.vendor", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Vendor(int(process.stdout.readline()))
        finally:
            process.terminate()


async def _serve(parent: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while os.getppid() == parent:
        await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
