"""What the vendor refuses, and how the client tells it; over real sockets."""

import socket
import time

import pytest

from sessions_app.types import Strategy
from sessions_app.upstream import errors
from tests.support.evil import answer
from tests.support.failing import ID, KEY, fails, read, saying, stop


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        ("400 Bad Request", errors.Invalid, errors.Invalid),
        ("401 Unauthorized", errors.Unauthorized, errors.Unauthorized),
        ("402 Payment Required", errors.PaymentRequired, errors.PaymentRequired),
        ("403 Forbidden", errors.Unauthorized, errors.Forbidden),
        ("404 Not Found", errors.NotFound, errors.NotFound),
        ("408 Request Timeout", errors.TimedOut, errors.TimedOut),
        ("409 Conflict", errors.Conflict, errors.Conflict),
        ("410 Gone", errors.NotFound, errors.NotFound),
        ("418 Teapot", errors.Refused, errors.Refused),
        ("422 Unprocessable", errors.Invalid, errors.Invalid),
        ("429 Too Many", errors.RateLimited, errors.RateLimited),
        ("500 Oops", errors.ServerFault, errors.ServerFault),
        ("503 Unavailable", errors.ServerFault, errors.ServerFault),
        ("599 Odd", errors.ServerFault, errors.ServerFault),
    ],
)
def test_refusals(status: str, reading: type, writing: type) -> None:
    said = answer(b'{"detail":"because ' + KEY.encode() + b'"}', status=status)
    assert fails(saying(said), read, reading).status_code == int(status[:3])
    error = fails(saying(said), stop, writing)
    assert error.may_have_happened == (writing in (errors.ServerFault, errors.TimedOut))
    if writing is not errors.TimedOut:
        assert "because (key)" in error.words


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), ("0", 1), ("-1", 1), ("1000000000", 300), ("9" * 400, None), ("soon", None), (None, None), ("2.5", 2),
     ("Wed, 09 Jun 2027 10:00:30 GMT", 30), ("Wed, 09 Jun 2027 09:00:00 GMT", 1), ("Fri, 31 Dec 9999 23:59:59 GMT", 300)],
)  # fmt: skip
def test_how_long_to_wait_after_a_429(given: str | None, seconds: int | None) -> None:
    headers = {"Date": "Wed, 09 Jun 2027 10:00:00 GMT"} | ({} if given is None else {"Retry_After": given})
    error = fails(saying(answer(b"", status="429 Slow", **headers)), read, errors.RateLimited)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 50_000,
        b'{"detail":[{"loc":["body",1],"msg":"bad"},5]}',
        b'{"detail":{"a":1}}',
        b"\xff",
        b"5",
    ],
)
def test_whatever_comes_with_a_refusal(body: bytes) -> None:
    fails(saying(answer(body, status="422 No")), stop, errors.Invalid)


def test_a_refusal_whose_words_never_come() -> None:
    def slow(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(b"", status="404 Not Found", length=100))
        time.sleep(5)

    began = time.monotonic()
    fails(slow, lambda client: client.stop(ID, Strategy.TASK), errors.NotFound)
    assert time.monotonic() - began < 4
