"""Servers that push, and many viewers of them over real sockets: what goals 5 to 8 are measured with."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import quote

from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from sessions_app.access.roles import ensure_roles
from sessions_app.live import publish, tickets
from sessions_app.models import AgentSession
from tests.support.factories import make_account, make_sessions

PAUSE_S = 0.35
"""Longer than the hub waits to send several changes together: each change is a write of its own."""
ROW = b"event: row"
CPUCLOCK_SCHED = 2
"""clock_getcpuclockid(3), which Python does not offer: a process's clock, in nanoseconds."""


class Side:
    """A server, its viewers, and what one change costs it."""

    def __init__(self, kind: str, process: subprocess.Popen[str], port: int) -> None:
        self.kind, self.process, self.port = kind, process, port
        self.viewers: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.costs: list[float] = []

    def cpu_s(self) -> float:
        """Of every thread, those that ended included: a request has one of its own."""
        return time.clock_gettime(~self.process.pid << 3 | CPUCLOCK_SCHED)


class Furniture(NamedTuple):
    """A person's ticket for some sessions, and the cookie that goes with it."""

    ticket: str
    cookie: str
    sessions: list[AgentSession]
    client: Client


def furnish(sessions: int = 50, shown: int = 50) -> Furniture:
    """So many living sessions, of which the ticket's page shows the newest."""
    ensure_roles()
    user, _ = User.objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name="admin"))
    client = Client()
    client.force_login(user)
    made = make_sessions(sessions, account=make_account())
    key = client.cookies["sessionid"].value
    assert SessionStore(key).load()
    return Furniture(tickets.make(user, [one.pk for one in made[:shown]], "live"), key, made, client)


@contextmanager
def server(kind: str) -> Iterator[Side]:
    command = [sys.executable, "-m", "bench.push_server", kind, str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Side(kind, process, int(process.stdout.readline()))
        finally:
            process.kill()


async def open_viewers(side: Side, given: Furniture, count: int, more: str = "") -> None:
    """So many more, each with all that it had missed behind it.  `more`: further headers, each with its line's end."""
    head = (
        f"GET /live/stream?ticket={quote(given.ticket)} HTTP/1.1\r\nHost: x\r\n"
        f"Cookie: sessionid={given.cookie}\r\n{more}\r\n"
    )
    opened = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port, limit=2**22)
        writer.write(head.encode())
        opened.append((reader, writer))
    side.viewers += opened
    await asyncio.gather(*(until(reader, b"\r\n\r\n", 1) for reader, _ in opened))
    await until_idle(side)
    await asyncio.gather(*(_drain(reader) for reader, _ in opened))


def page_request(given: Furniture) -> bytes:
    """For the live page, as a signed-in browser asks for it."""
    return f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={given.cookie}\r\n\r\n".encode()


async def _drain(reader: asyncio.StreamReader) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            while await reader.read(65536):
                pass


async def until_idle(side: Side) -> None:
    """Opening has a price of its own (permission, what was missed), paid in the background: not what is measured."""
    before = -1.0
    while side.cpu_s() - before > 0.05:
        before = side.cpu_s()
        await asyncio.sleep(1)


def change(session: AgentSession) -> None:
    AgentSession.objects.filter(pk=session.pk).update_shown(timezone.now(), step_count=int(time.time()))
    publish.changed(session.account_id, [session.pk])


async def until(reader: asyncio.StreamReader, what: bytes, times: int) -> None:
    """Until that text has come so many times."""
    seen, tail = 0, b""
    while seen < times:
        chunk = await reader.read(65536)
        assert chunk, "the stream ended"
        text = tail + chunk
        seen += text.count(what)
        tail = text[-(len(what) - 1) :]
