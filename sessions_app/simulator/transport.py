"""Sending replies, and sending them wrong: cut short, dripped, or not at all."""

import asyncio
import contextlib
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .exchange import BODY_LIMIT, Reply, Request
from .faults import Fault

_TRANSPORT = "simulator.transport"


class Protocol(HttpToolsProtocol):
    """uvicorn's own, but the application can reach the connection: ASGI has no words for hanging up."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[_TRANSPORT] = self.transport  # type: ignore[literal-required]


async def read(scope: dict[str, Any], receive: Any) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > BODY_LIMIT:
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, port = scope.get("server") or ("127.0.0.1", 0)
    return Request(
        scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body,
        (scope.get("client") or ("",))[0], f"{host}:{port}",
    )  # fmt: skip


async def send_reply(send: Any, reply: Reply) -> None:
    await send(
        {"type": "http.response.start", "status": reply.status, "headers": reply.head(len(reply.body))}
    )
    await send({"type": "http.response.body", "body": reply.body})


async def send_wrong(scope: dict[str, Any], receive: Any, send: Any, reply: Reply, fault: Fault) -> None:
    """A good reply, spoilt on its way."""
    if fault.kind == "truncate":
        await _truncate(scope, receive, send, reply)
    elif fault.kind == "drip":
        await _drip(send, reply, fault.seconds or 0.02)


async def _truncate(scope: dict[str, Any], receive: Any, send: Any, reply: Reply) -> None:
    """Promise the whole body, send half of it, hang up."""
    half = reply.body[: len(reply.body) // 2]
    await send(
        {"type": "http.response.start", "status": reply.status, "headers": reply.head(len(reply.body) or 10)}
    )
    await send({"type": "http.response.body", "body": half, "more_body": True})
    scope[_TRANSPORT].close()  # what was written is still sent
    await _gone(receive)


async def _drip(send: Any, reply: Reply, seconds: float) -> None:
    await send(
        {"type": "http.response.start", "status": reply.status, "headers": reply.head(len(reply.body))}
    )
    for place in range(len(reply.body)):
        await send({"type": "http.response.body", "body": reply.body[place : place + 1], "more_body": True})
        await asyncio.sleep(seconds)
    await send({"type": "http.response.body", "body": b""})


async def drip_headers(scope: dict[str, Any], receive: Any, seconds: float) -> None:
    """A status line, then header after header, for ever."""
    transport = scope[_TRANSPORT]
    transport.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        if transport.is_closing():
            break
        transport.write(f"x-more-{number}: 1\r\n".encode())
        await asyncio.sleep(seconds)
    transport.abort()
    await _gone(receive)


async def hang_up(scope: dict[str, Any], receive: Any) -> None:
    """Close the connection without a word."""
    scope[_TRANSPORT].abort()
    await _gone(receive)


async def _gone(receive: Any) -> None:
    """Until uvicorn has noticed; it would answer 500 for an application that returns too early."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while (await receive())["type"] != "http.disconnect":
                pass
