"""No request's body fills the disk: Django writes it out in full before it looks at who sent it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

MOST = 3 * 1024 * 1024
"""Bytes; more than any form of ours.  Webhooks have a limit of their own."""

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[Mapping[str, Any]]]
type Send = Callable[[Mapping[str, Any]], Awaitable[None]]
type App = Callable[[Scope, Receive, Send], Awaitable[None]]


def limited(app: App, most: int = MOST) -> App:
    """ASGI.  A body that says it is larger gets 413 unread; one that does not say so, where it becomes so."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if _said(scope) > most:
            await _refuse(send)
            return
        counted = _Counted(receive, most)
        await app(scope, counted, send)
        if counted.came > most:
            await _refuse(send)  # Django takes it for a client that hung up, and has not answered

    return guarded


class _Counted:
    """`receive`, until more came than may come."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self.came = 0

    async def __call__(self) -> Mapping[str, Any]:
        message = await self._receive()
        self.came += len(message.get("body", b""))
        return message if self.came <= self._most else {"type": "http.disconnect"}


def _said(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"This is more than anything here takes.\n"})
