"""Answers whose bodies are none, too large, about somebody else, or odd; over real sockets."""

import gzip
import json
import socket
import zlib
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from sessions_app.types import Answer, Strategy
from sessions_app.upstream import errors
from sessions_app.upstream.body import LARGEST_BODY
from sessions_app.upstream.client import Client
from tests.support.evil import answer, evil_server
from tests.support.failing import ID, KEY, fails, read, saying, stop
from tests.support.replies import UUID_TEXT, page, raw_session

BAD_BODIES = {
    "a web page": answer(b"<!doctype html><p>Sign in</p>", kind="text/html; charset=utf-8"),
    "a web page that says it is JSON": answer(b"\n <html>"),
    "plain text": answer(b"all is well", kind="text/plain"),
    "nothing": answer(b""),
    "no JSON": answer(b"{"),
    "another object": answer(b'{"hello":1}'),
    "a bare list": answer(b"[]"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a redirect": answer(b"", status="302 Found", location="http://elsewhere.example/"),
    "broken gzip": answer(b"\x1f\x8bnonsense", content_encoding="gzip"),
    "half a gzip": answer(gzip.compress(page(raw_session()))[:-20], content_encoding="gzip"),
    "brotli": answer(b"x", content_encoding="br"),
    "a bomb": answer(gzip.compress(b" " * (LARGEST_BODY * 20)), content_encoding="gzip"),
    "too much": answer(b" " * (LARGEST_BODY + 1)),
}  # fmt: skip


@pytest.mark.parametrize("data", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_an_answer_that_is_none(data: bytes) -> None:
    assert not fails(saying(data), read, errors.BadReply).may_have_happened


@pytest.mark.parametrize("data", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_stop_answered_so_may_have_happened(data: bytes) -> None:
    error = fails(saying(data), lambda client: client.stop(ID, Strategy.SESSION), errors.BadReply)
    assert error.may_have_happened
    assert error.status_code in (200, 204, 302)


def test_a_bomb_is_not_inflated() -> None:
    import resource

    body = gzip.compress(b"0" * 300_000_000, 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fails(saying(answer(body, content_encoding="gzip")), read, errors.BadReply)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 100_000_000


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_compressed_as_asked(packed: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if packed is gzip.compress else "deflate"
    with evil_server(saying(answer(packed(page(raw_session())), content_encoding=encoding))) as evil:
        assert len(Client(evil.base_url, KEY).session_page(1).items) == 1
        assert b"accept-encoding: gzip\r\n" in evil.requests[0].lower()


def test_json_without_a_type_and_with_a_byte_order_mark() -> None:
    body = b"\xef\xbb\xbf" + page(raw_session())
    with evil_server(saying(answer(body, kind=""))) as evil:
        assert len(Client(evil.base_url, KEY).session_page(1).items) == 1


def test_an_answer_about_somebody_else() -> None:
    other = answer(raw_session(id=str(uuid4())))
    assert "another session" in str(fails(saying(other), lambda client: client.session(ID), errors.BadReply))
    assert fails(saying(other), stop, errors.BadReply).may_have_happened


def test_an_answer_that_is_no_session() -> None:
    assert "status is missing" in str(
        fails(saying(answer(raw_session(status=None))), lambda c: c.session(ID), errors.BadReply)
    )


def test_one_bad_answer_spoils_its_own_place_only() -> None:
    ids = [uuid4() for _ in range(6)]

    def every_other(connection: socket.socket, request: bytes) -> None:
        asked = request.split(b" ")[1].rsplit(b"/", 1)[-1].decode()
        good = UUID(asked) in ids[::2]
        connection.sendall(answer(raw_session(id=asked)) if good else answer(b"<html>", kind="text/html"))

    with evil_server(every_other) as evil:
        answers = Client(evil.base_url, KEY).sessions(ids)
    assert [type(one) for one in answers] == [Answer, errors.BadReply] * 3


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"items":null}', b'{"items":{}}', b'{"messages":5}'])
def test_other_lists_that_are_none(body: bytes) -> None:
    for call in (
        Client.profiles,
        Client.workspaces,
        Client.active_browsers,
        lambda c: c.messages(ID),
        Client.account,
    ):
        fails(saying(answer(body)), call, errors.BadReply)


def test_odd_names_and_browsers_are_left_out() -> None:
    body = json.dumps(
        {"items": [None, 5, {}, {"id": "x"}, {"id": UUID_TEXT, "name": None}, {"id": UUID_TEXT}]}
    ).encode()
    with evil_server(saying(answer(body))) as evil:
        client = Client(evil.base_url, KEY)
        assert [one.uuid for one in client.profiles()] == [ID]
        assert [(one.uuid, one.session_uuid) for one in client.active_browsers()] == [(ID, None)]


def test_a_list_that_never_ends_is_cut() -> None:
    def endless(connection: socket.socket, request: bytes) -> None:
        items = [{"id": str(uuid4()), "name": "x"} for _ in range(100)]
        connection.sendall(answer(json.dumps({"items": items}).encode()))

    with evil_server(endless) as evil:
        assert len(Client(evil.base_url, KEY).profiles()) == 2_000
        assert len(evil.requests) == 20


def test_a_list_that_repeats_itself_is_left() -> None:
    items = [{"id": str(uuid4()), "name": "x"} for _ in range(100)]
    with evil_server(saying(answer(json.dumps({"items": items}).encode()))) as evil:
        assert len(Client(evil.base_url, KEY).profiles()) == 100
        assert len(evil.requests) == 2


def test_odd_messages() -> None:
    messages = [
        None,
        {},
        {"id": 5, "data": {"a": [1]}, "createdAt": "x", "hidden": "no"},
        {"id": "m", "data": "t" * 300_000},
    ]
    with evil_server(saying(answer(json.dumps({"messages": messages, "hasMore": "yes"}).encode()))) as evil:
        read = Client(evil.base_url, KEY).messages(ID)
    assert [(one.id, one.text[:9]) for one in read.messages] == [("", ""), ("5", '{"a":[1]}'), ("m", "t" * 9)]
    assert len(read.messages[2].text) == 256 * 1024
    assert not read.has_more


@pytest.mark.parametrize(
    ("balance", "micro"),
    [("12.345678", 12_345_678), ("-3", -3_000_000), ("1e-05", 10), ('"7.5"', 7_500_000), ("null", None), ("1e400", None), ("NaN", None)],
)  # fmt: skip
def test_a_balance_is_exact_or_unknown(balance: str, micro: int | None) -> None:
    body = b'{"projectId":"p","totalCreditsBalanceUsd":%s,"rateLimit":%s}' % (balance.encode(), b"9" * 30)
    with evil_server(saying(answer(body))) as evil:
        facts = Client(evil.base_url, KEY).account()
    assert facts.balance_microusd == micro
    assert facts.concurrent_browsers == 2**31 - 1
