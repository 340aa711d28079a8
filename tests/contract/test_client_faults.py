"""Each fault of the network and of the vendor, as the client tells it; over real sockets."""

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from sessions_app.simulator.testing import RunningSimulator
from sessions_app.types import Answer, Strategy
from sessions_app.upstream import errors
from sessions_app.upstream.body import LARGEST_BODY
from sessions_app.upstream.client import Client
from sessions_app.upstream.transport import Call, Transport
from tests.support.evil import Script, answer, drip, evil_server
from tests.support.replies import UUID_TEXT, page, raw_session

ID = UUID(UUID_TEXT)
KEY = "bu_key_for_nobody_else"


def saying(data: bytes) -> Script:
    return lambda connection, request: connection.sendall(data)


def fails(
    script: Script, call: Callable[[Client], object], kind: type[errors.UpstreamError]
) -> errors.UpstreamError:
    """The error of that very kind, which never repeats the key."""
    with evil_server(script) as evil:
        with pytest.raises(kind) as caught:
            call(Client(evil.base_url, KEY))
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    return caught.value


def read(client: Client) -> object:
    return client.session_page(1)


def stop(client: Client) -> object:
    return client.stop(ID, Strategy.TASK, deadline_s=1.0)


# ---- time ------------------------------------------------------------------------------------------


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


# ---- broken connections ----------------------------------------------------------------------------


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


# ---- bodies ----------------------------------------------------------------------------------------


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


# ---- where the key goes ----------------------------------------------------------------------------


def test_a_redirect_is_not_followed_and_the_key_stays() -> None:
    with evil_server(saying(answer(b"{}"))) as elsewhere:
        location = f"{elsewhere.base_url}/api"
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            fails(saying(answer(b"", status=status, location=location)), stop, errors.BadReply)
        assert elsewhere.requests == []


def test_proxy_variables_of_the_environment_are_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        evil_server(saying(answer(raw_session()))) as proxy,
        evil_server(saying(answer(raw_session()))) as vendor,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        assert Client(vendor.base_url, KEY).session(ID).session.uuid == ID
        assert proxy.requests == []


def test_a_proxy_that_is_set_is_used() -> None:
    with evil_server(saying(answer(raw_session()))) as proxy:
        assert Client("http://vendor.invalid/api/v3", KEY, proxy.base_url).session(ID).session.uuid == ID
        assert proxy.requests[0].startswith(b"GET http://vendor.invalid/api/v3/sessions/")


def test_cookies_are_not_carried_over() -> None:
    with evil_server(saying(answer(raw_session(), set_cookie="a=1; Path=/"))) as evil:
        client = Client(evil.base_url, KEY)
        client.session(ID)
        client.session(ID)
        assert b"cookie" not in evil.requests[1].lower()


def test_a_message_id_cannot_leave_its_parameter() -> None:
    body = b'{"messages":[],"hasMore":false}'
    with evil_server(saying(answer(body))) as evil:
        Client(evil.base_url, KEY).messages(ID, after="x&limit=1/../#?")
        assert evil.requests[0].split(b" ")[1].endswith(b"?limit=100&after=x%26limit%3D1%2F..%2F%23%3F")


# ---- refusals --------------------------------------------------------------------------------------


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


# ---- the pool --------------------------------------------------------------------------------------


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


def test_a_stop_waits_for_a_free_connection_no_longer_than_its_deadline() -> None:
    """All eight are taken by readings that hang: nothing was sent, and that is what it says."""

    def hang_on_reads(connection: socket.socket, request: bytes) -> None:
        time.sleep(3)

    with evil_server(hang_on_reads) as evil:

        def hang() -> None:
            with pytest.raises(errors.TimedOut):
                Transport(evil.base_url, KEY).send(Call("/sessions", deadline_s=2))

        threads = [threading.Thread(target=hang) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        with pytest.raises(errors.NotSent):
            Client(evil.base_url, KEY).stop(ID, Strategy.TASK, deadline_s=0.5)
        assert not any(request.startswith(b"POST") for request in evil.requests)
        for thread in threads:
            thread.join()


# ---- the simulator's faults ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", errors.RateLimited), ("server_error", errors.ServerFault), ("html_200", errors.BadReply),
     ("drop", errors.Disconnected), ("truncate", errors.Disconnected), ("drip_headers", errors.TimedOut), ("slow=1:5", errors.TimedOut)],
)  # fmt: skip
def test_faults_of_the_simulator(
    quiet: RunningSimulator, fault: str, kind: type[errors.UpstreamError]
) -> None:
    uuid = UUID(quiet.running_session().id)
    client = Client(quiet.base_url, quiet.key)
    quiet.faults.set(fault)
    with pytest.raises(kind):
        client.session(uuid, deadline_s=1.0)
    quiet.faults.clear()
    assert client.session(uuid).session.status == "running"


def test_unknown_values_new_fields_and_another_order(sim: RunningSimulator) -> None:
    client = Client(sim.base_url, sim.key)
    sim.faults.set("unknown_enums=1,new_fields=1,order=random,shift_pages=1")
    answers = [client.session(item.uuid).session for item in client.session_page(1).items[:20]]
    assert {"hibernating"} <= {one.status for one in answers}
    assert all(one.oddities == () for one in answers)
    assert all(b'"sandboxRegion":"eu-north-1"' in one.raw for one in answers)


def test_a_stop_whose_answer_is_lost(quiet: RunningSimulator) -> None:
    uuid = UUID(quiet.running_session().id)
    client = Client(quiet.base_url, quiet.key)
    quiet.faults.set("stop_drops_after_effect")
    with pytest.raises(errors.Unclear) as caught:
        client.stop(uuid, Strategy.SESSION)
    assert caught.value.may_have_happened
    assert quiet.calls("POST") == 1
    quiet.faults.clear()
    quiet.advance(30)
    assert client.session(uuid).session.status == "stopped"


def test_odd_fields_forced_upon_a_session(sim: RunningSimulator) -> None:
    client = Client(sim.base_url, sim.key)
    uuid = client.session_page(1).items[0].uuid
    sim.force(
        str(uuid),
        totalCostUsd="1e3",
        title="a\x00b",
        liveUrl="javascript:alert(1)",
        stepCount=2**70,
        output="x" * 400_000,
    )
    seen = client.session(uuid).session
    assert (seen.total_cost_microusd, seen.title, seen.step_count) == (None, "a\ufffdb", 2**63 - 1)
    assert {oddity.field for oddity in seen.oddities} == {"totalCostUsd", "stepCount"}
    assert len(seen.raw) < 262_144
    assert len(client.session_page(1).items) == 100
