"""Goal 5: one change, five hundred viewers.  CPU of the serving process per change and viewer, over real sockets."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from urllib.parse import quote

from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from bench.harness import ROUNDS, Row, below, within
from sessions_app.access.roles import ensure_roles
from sessions_app.live import publish, tickets
from sessions_app.models import AgentSession
from tests.support.factories import make_account, make_sessions

VIEWERS = 500
CHANGES = {"hub": 8, "raw": 8, "each": 1}
PAUSE_S = 0.35
"""Longer than the hub waits to send several changes together: each change is a write of its own."""


class Side:
    """A server, its viewers, and what one change costs it."""

    def __init__(self, kind: str, process: subprocess.Popen[str], port: int) -> None:
        self.kind, self.process, self.port = kind, process, port
        self.viewers: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.costs: list[float] = []

    def cpu_s(self) -> float:
        """Nanoseconds on a CPU of every thread, from the scheduler."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9


def rows(database: str) -> Iterator[Row]:
    sides = asyncio.run(_measure())
    costs = {name: median(side) * 1e6 for name, side in sides.items()}
    number = f"{costs['hub']:.1f} µs CPU"
    yield within(
        5, f"push, {VIEWERS} viewers, raw write {costs['raw']:.1f} µs", number, costs["hub"] / costs["raw"], 2
    )
    what = f"push, {VIEWERS} viewers, rendering for each {costs['each']:.0f} µs"
    yield below(5, what, number, costs["each"] / costs["hub"], 25)
    yield Row(
        5, f"push, {VIEWERS} viewers, django-eventstream", number, None, "≥ 4×", None, "not measured yet"
    )


async def _measure() -> dict[str, list[float]]:
    ticket, cookie, sessions = await asyncio.to_thread(_furnish)
    with _server("hub") as hub, _server("raw") as raw, _server("each") as each:
        for side in (hub, raw, each):
            await _open_viewers(side, ticket, cookie)
        for number in range(ROUNDS + 1):
            for side in (hub, raw, each):
                cost = await _cost_of_changes(side, sessions)
                if number:
                    side.costs.append(cost)
        return {side.kind: side.costs for side in (hub, raw, each)}


def _furnish() -> tuple[str, str, list[AgentSession]]:
    ensure_roles()
    user = User.objects.create_user("bench")
    user.groups.add(Group.objects.get(name="admin"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    sessions = make_sessions(50, account=make_account())
    key = client.cookies["sessionid"].value
    assert SessionStore(key).load()
    return tickets.make(user, [session.pk for session in sessions], "live"), key, sessions


@contextmanager
def _server(kind: str) -> Iterator[Side]:
    command = [sys.executable, "-m", "bench.push_server", kind, str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Side(kind, process, int(process.stdout.readline()))
        finally:
            process.kill()


async def _open_viewers(side: Side, ticket: str, cookie: str) -> None:
    head = (
        f"GET /live/stream?ticket={quote(ticket)} HTTP/1.1\r\nHost: x\r\nCookie: sessionid={cookie}\r\n\r\n"
    )
    for _ in range(VIEWERS):
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port, limit=2**22)
        writer.write(head.encode())
        side.viewers.append((reader, writer))
    await asyncio.gather(*(_until(reader, b"\r\n\r\n", 1) for reader, _ in side.viewers))
    await _until_idle(side)


async def _until_idle(side: Side) -> None:
    """Opening has a price of its own (permission, what was missed), paid in the background: not what is measured."""
    before = -1.0
    while side.cpu_s() - before > 0.05:
        before = side.cpu_s()
        await asyncio.sleep(1)


async def _cost_of_changes(side: Side, sessions: list[AgentSession]) -> float:
    """Seconds of CPU per change and viewer.  Every viewer must have got every change."""
    changes = CHANGES[side.kind]
    reading = asyncio.gather(*(_until(reader, b"event: row", changes) for reader, _ in side.viewers))
    began = side.cpu_s()
    for number in range(changes):
        await asyncio.to_thread(_change, sessions[number % len(sessions)])
        await asyncio.sleep(PAUSE_S)
    async with asyncio.timeout(60):
        await reading
    return (side.cpu_s() - began) / changes / VIEWERS


def _change(session: AgentSession) -> None:
    AgentSession.objects.filter(pk=session.pk).update_shown(timezone.now(), step_count=int(time.time()))
    publish.changed(session.account_id, [session.pk])


async def _until(reader: asyncio.StreamReader, what: bytes, times: int) -> None:
    """Until that text has come so many times."""
    seen, tail = 0, b""
    while seen < times:
        chunk = await reader.read(65536)
        assert chunk, "the stream ended"
        text = tail + chunk
        seen += text.count(what)
        tail = text[-(len(what) - 1) :]
