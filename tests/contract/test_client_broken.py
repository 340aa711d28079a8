"""Broken connections: what is asked again, and what never is; over real sockets."""

import socket
import time
from contextlib import suppress

import pytest

from sessions_app.types import Strategy
from sessions_app.upstream import again, errors
from sessions_app.upstream.body import LARGEST_BODY
from sessions_app.upstream.client import Client
from tests.support.evil import answer, evil_server
from tests.support.failing import ID, KEY, fails, read, saying, stop
from tests.support.replies import page, raw_session


def test_a_read_that_was_cut_off_is_asked_once_more() -> None:
    good = answer(page(raw_session()))

    def once_broken(connection: socket.socket, request: bytes) -> None:
        connection.sendall(good[:-50] if len(evil.requests) == 1 else good)
        connection.close()

    with evil_server(once_broken) as evil:
        assert len(Client(evil.base_url, KEY).session_page(1).items) == 1
        assert len(evil.requests) == 2


def test_a_read_that_is_always_cut_off() -> None:
    def broken(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(page(raw_session()))[:-50])
        connection.close()

    fails(broken, read, errors.Disconnected)


def test_a_read_that_hangs_is_asked_again_and_the_first_answer_counts() -> None:
    """Ten seconds for one bad answer would leave all that stands on its page as old as that."""

    def drips_twice(connection: socket.socket, request: bytes) -> None:
        if len(evil.requests) > 2:
            connection.sendall(answer(page(raw_session())))
            return
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
        )
        with suppress(OSError):
            for _ in range(80):
                connection.sendall(b" ")
                time.sleep(0.1)

    with evil_server(drips_twice) as evil:
        began = time.monotonic()
        assert len(Client(evil.base_url, KEY).session_page(1).items) == 1
        assert time.monotonic() - began < 2 * again.PATIENCE_S + 2
        assert len(evil.requests) == 3


def test_where_every_answer_takes_long_none_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "PATIENCE_S", 0.2)

    def slow(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.5)
        connection.sendall(answer(page(raw_session())))

    with evil_server(slow) as evil:
        client = Client(evil.base_url, KEY)
        client.session_page(1)  # nobody knows yet
        before = len(evil.requests)
        for _ in range(3):
            client.session_page(1)
        assert len(evil.requests) == before + 3


def test_an_apology_of_a_proxy_is_asked_once_more_and_what_is_too_large_is_not() -> None:
    def apologises_once(connection: socket.socket, request: bytes) -> None:
        apology = answer(b"<html>Bad gateway", kind="text/html")
        connection.sendall(apology if len(evil.requests) == 1 else answer(page(raw_session())))

    with evil_server(apologises_once) as evil:
        assert len(Client(evil.base_url, KEY).session_page(1).items) == 1

    def large(connection: socket.socket, request: bytes) -> None:
        with suppress(OSError):
            connection.sendall(answer(b" " * (LARGEST_BODY + 1)))

    with evil_server(large) as evil:
        with pytest.raises(errors.TooLarge):
            Client(evil.base_url, KEY).session_page(1)
        assert len(evil.requests) == 1


def test_a_refusal_while_another_answer_is_awaited_counts_at_once() -> None:
    """And whoever keeps the budget hears of it."""

    def hangs_at_first(connection: socket.socket, request: bytes) -> None:
        if len(evil.requests) > 1:
            connection.sendall(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
        else:
            time.sleep(6)

    with evil_server(hangs_at_first) as evil, pytest.raises(errors.RateLimited):
        Client(evil.base_url, KEY).session_page(1)


def test_a_stop_that_was_cut_off_is_never_sent_again() -> None:
    def broken(connection: socket.socket, request: bytes) -> None:
        connection.close()

    with evil_server(broken) as evil:
        with pytest.raises(errors.Disconnected) as caught:
            stop(Client(evil.base_url, KEY))
        time.sleep(0.3)
        assert len(evil.requests) == 1
    assert caught.value.may_have_happened


def test_a_stop_on_a_kept_connection_that_the_other_side_has_closed() -> None:
    """It is seen before sending, or else told as unknown: never sent twice."""

    def one_answer_each(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(raw_session()))
        connection.close()

    with evil_server(one_answer_each) as evil:
        client = Client(evil.base_url, KEY)
        client.session(ID)
        time.sleep(0.1)
        try:
            assert client.stop(ID, Strategy.TASK).session.uuid == ID
        except errors.Disconnected as error:
            assert error.may_have_happened
        assert sum(request.startswith(b"POST") for request in evil.requests) == 1


def test_cut_short_without_a_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"

    def short(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head + page(raw_session())[:-60])
        connection.close()

    fails(short, read, errors.BadReply)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_what_is_not_http(data: bytes) -> None:
    error = fails(saying(data), stop, errors.Disconnected)
    assert error.may_have_happened
