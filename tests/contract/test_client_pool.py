"""Connections: few, kept, and never used up."""

import socket
import threading
import time

import pytest

from sessions_app.types import Strategy
from sessions_app.upstream import errors
from sessions_app.upstream.client import Client
from sessions_app.upstream.transport import CONNECTIONS, Call, Transport
from tests.support.evil import answer, evil_server
from tests.support.failing import ID, KEY, saying
from tests.support.replies import page, raw_session


def test_one_connection_does_for_many_calls() -> None:
    with evil_server(saying(answer(raw_session()))) as evil:
        for _ in range(10):
            Client(evil.base_url, KEY).session(ID)
        assert evil.connections == 1
        assert len(evil.requests) == 10


def test_many_at_once_are_four_at_a_time() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def slowly(connection: socket.socket, request: bytes) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        connection.sendall(answer(page(raw_session())))

    with evil_server(slowly) as evil:
        assert len(Client(evil.base_url, KEY).session_pages(list(range(1, 21)))) == 20
    assert most[0] == 4


def test_calls_that_time_out_do_not_eat_the_pool() -> None:
    def first_ten_hang(connection: socket.socket, request: bytes) -> None:
        if len(evil.requests) <= 10:
            time.sleep(3)
        connection.sendall(answer(raw_session()))

    with evil_server(first_ten_hang) as evil:
        client = Client(evil.base_url, KEY)
        for _ in range(10):
            with pytest.raises(errors.TimedOut):
                client.session(ID, deadline_s=0.1)
        assert client.session(ID, deadline_s=5).session.uuid == ID


def test_two_keys_do_not_share_a_connection() -> None:
    with evil_server(saying(answer(raw_session()))) as evil:
        Client(evil.base_url, "one").session(ID)
        Client(evil.base_url, "two").session(ID)
        assert evil.connections == 2
        assert b"two" in evil.requests[1]


def test_a_sweep_that_hangs_leaves_connections_to_a_stop() -> None:
    def hang_on_reads(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            connection.sendall(answer(raw_session()))
        else:
            time.sleep(5)

    with evil_server(hang_on_reads) as evil:
        hung = threading.Thread(target=lambda: Client(evil.base_url, KEY).session_pages(range(1, 9)))
        hung.start()
        time.sleep(3)
        assert sum(request.startswith(b"GET") for request in evil.requests) >= 8, "several tries each"
        began = time.monotonic()
        assert Client(evil.base_url, KEY).stop(ID, Strategy.TASK).session.uuid == ID
        assert time.monotonic() - began < 1
        hung.join()


def test_a_stop_waits_for_a_free_connection_no_longer_than_its_deadline() -> None:
    """All are taken by readings that hang: nothing was sent, and that is what it says."""

    def hang_on_reads(connection: socket.socket, request: bytes) -> None:
        time.sleep(3)

    with evil_server(hang_on_reads) as evil:

        def hang() -> None:
            with pytest.raises(errors.TimedOut):
                Transport(evil.base_url, KEY).send(Call("/sessions", deadline_s=2))

        threads = [threading.Thread(target=hang) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        with pytest.raises(errors.NotSent):
            Client(evil.base_url, KEY).stop(ID, Strategy.TASK, deadline_s=0.5)
        assert not any(request.startswith(b"POST") for request in evil.requests)
        for thread in threads:
            thread.join()
