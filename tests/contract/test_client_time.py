"""Deadlines: nothing keeps the client waiting longer than it was told to wait; over real sockets."""

import socket
import time

import pytest

from sessions_app.types import Strategy
from sessions_app.upstream import errors
from sessions_app.upstream.client import Client
from tests.support.evil import answer, drip, evil_server
from tests.support.failing import ID, KEY, fails, read, saying, stop


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_silence_ends_at_the_deadline(head: bytes) -> None:
    def silence(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        time.sleep(5)

    began = time.monotonic()
    error = fails(silence, stop, errors.TimedOut)
    assert 0.9 < time.monotonic() - began < 2.5
    assert error.may_have_happened


@pytest.mark.parametrize(
    "before", [b"HTTP/1.1 200 OK\r\n", answer(b"", length=10_000)], ids=["headers", "body"]
)
def test_a_drip_ends_at_the_deadline(before: bytes) -> None:
    """No single wait is long, so only a wall deadline helps."""

    def dripping(connection: socket.socket, request: bytes) -> None:
        connection.sendall(before)
        drip(connection, b"X-Drip: 1\r\n" * 1_000, 0.05)

    began = time.monotonic()
    fails(dripping, lambda client: client.session(ID, deadline_s=0.8), errors.TimedOut)
    assert time.monotonic() - began < 2.5


def test_a_connection_that_is_never_accepted_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        place = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(place)
        with pytest.raises(errors.NotSent):
            Client(f"http://127.0.0.1:{place[1]}", KEY).stop(ID, Strategy.TASK, deadline_s=1.0)
        for filler in fillers:
            filler.close()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for call in (read, stop):
        with pytest.raises(errors.NotSent) as caught:
            call(Client(f"http://127.0.0.1:{port}", KEY))
        assert not caught.value.may_have_happened


def test_a_name_that_does_not_resolve_and_an_address_that_is_none() -> None:
    for base_url in ("http://nobody.invalid", "http://", "nonsense", "http://[::1", "ftp://127.0.0.1"):
        with pytest.raises(errors.NotSent):
            Client(base_url, KEY).stop(ID, Strategy.TASK, deadline_s=3.0)


def test_a_key_that_no_header_can_carry() -> None:
    with evil_server(saying(answer(b"{}"))) as evil:
        for key in ("ключ", "a\r\nX-Evil: 1", "a\x00"):
            with pytest.raises(errors.NotSent) as caught:
                Client(evil.base_url, key).account()
            assert "API key" in caught.value.words
        assert evil.requests == []


def test_tls_that_does_not_fit() -> None:
    with evil_server(saying(b"not TLS at all")) as evil, pytest.raises(errors.NotSent):
        Client(evil.base_url.replace("http:", "https:"), KEY).account()
