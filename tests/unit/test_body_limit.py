"""A body is counted before anybody else sees it."""

import asyncio
from typing import Any

import pytest

from dashboard.body_limit import limited


def ask(
    parts: list[bytes], *headers: tuple[bytes, bytes]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the application received, and what the client was sent."""
    received: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    waiting = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while True:
            received.append(await receive())
            if not received[-1].get("more_body"):
                return

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(limited(app, most=10)({"type": "http", "headers": list(headers)}, receive, send))
    return received, sent


def test_a_body_that_fits_passes():
    received, sent = ask([b"12345", b"67890"])
    assert b"".join(one["body"] for one in received) == b"1234567890"
    assert sent == []


def test_one_that_says_it_is_larger_is_not_read():
    received, sent = ask([b"x" * 11], (b"content-length", b"11"))
    assert received == []
    assert sent[0]["status"] == 413


def test_one_that_does_not_say_so_is_cut_off():
    received, sent = ask([b"x" * 6, b"x" * 6, b"never asked for"])
    assert [one["type"] for one in received] == ["http.request", "http.disconnect"]
    assert sent[0]["status"] == 413


@pytest.mark.parametrize("length", [b"", b"-1", b"many", b"\xb2"])
def test_a_length_that_is_none_is_counted(length):
    received, _ = ask([b"x" * 11], (b"content-length", length))
    assert received[0]["type"] == "http.disconnect"
