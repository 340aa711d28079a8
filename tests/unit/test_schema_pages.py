"""A page is taken apart so that one odd session spoils nothing but itself."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from sessions_app.upstream.errors import BadReply
from sessions_app.upstream.pages import session_page
from sessions_app.upstream.schema import Unreadable, digest_of, read_session
from tests.support.replies import UUID_TEXT, page, raw_session, with_field

NOW = datetime(2026, 6, 9, tzinfo=UTC)


def good() -> bytes:
    return raw_session(id=str(uuid4()))


def test_a_page() -> None:
    sessions = [good() for _ in range(100)]
    read = session_page(page(*sessions, total=b"4321"), NOW, 7)
    assert (read.read_at, read.page, read.total, read.set_aside) == (NOW, 7, 4321, ())
    assert [item.raw for item in read.items] == sessions
    assert [item.digest for item in read.items] == [digest_of(raw) for raw in sessions]
    assert all(read_session(item.raw).uuid == item.uuid for item in read.items)


def test_an_empty_page() -> None:
    assert session_page(page(total=b"0"), NOW, 1).items == ()


POISONS = {
    "null": b"null", "a number": b"5", "a text": b'"x"', "a list": b"[1]", "empty": b"{}",
    "no id": raw_session(id=None), "a bad id": raw_session(id="nobody"), "a number as id": raw_session(id=7),
    "an id of nothing": raw_session(id=""), "an id of objects": raw_session(id={"a": 1}),
}  # fmt: skip


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
def test_one_that_is_no_session_is_set_aside(poison: bytes) -> None:
    before, after = good(), good()
    read = session_page(page(before, poison, after), NOW, 1)
    assert [item.raw for item in read.items] == [before, after]
    [aside] = read.set_aside
    assert aside.error
    assert b"token" not in aside.raw


ODD = {
    "NaN": with_field("totalCostUsd", b"NaN"), "a lone surrogate": with_field("title", rb'"\udc00"'),
    "a bare control character": with_field("title", b'"a\x00\x01"'), "bad UTF-8": with_field("title", b'"\xff"'),
    "a nest too deep": with_field("output", b"[" * 100_000 + b"]" * 100_000),
    "5,000 digits": with_field("stepCount", b"9" * 5_000), "a number that is none": with_field("stepCount", b"007"),
    "an unknown escape": with_field("title", rb'"\x41"'), "1e400": with_field("totalCostUsd", b"1e400"),
    "an odd key": raw_session().replace(b'"title"', rb'"\ud800"'),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_one_that_is_odd_is_still_read_and_its_neighbours_too(odd: bytes) -> None:
    before, after = good(), good()
    read = session_page(page(before, odd, after), NOW, 1)
    assert read.set_aside == ()
    assert len(read.items) == 3
    assert read.items[0] == (read_session(before).uuid, digest_of(before), before)
    assert read.items[2].raw == after
    assert read_session(read.items[1].raw).uuid == UUID(UUID_TEXT)
    assert read_session(read.items[1].raw).status == "running"


def test_one_without_a_status_stays_an_item_until_it_is_read() -> None:
    read = session_page(page(good(), raw_session(status=None)), NOW, 1)
    with pytest.raises(Unreadable):
        read_session(read.items[1].raw)


def test_the_same_session_twice_is_two_items() -> None:
    raw = good()
    assert len(session_page(page(raw, raw), NOW, 1).items) == 2


def test_ids_that_are_written_otherwise() -> None:
    spaced = b'{"status":"idle", "id" : "%s"}' % UUID_TEXT.encode()
    compact = b'{"id":"%s","status":"idle"}' % UUID_TEXT.replace("-", "").upper().encode()
    read = session_page(page(spaced, compact), NOW, 1)
    assert {item.uuid for item in read.items} == {UUID(UUID_TEXT)}
    assert len(read.items) == 2


@pytest.mark.parametrize(
    ("total", "read"),
    [
        (b"5", 5),
        (b"-1", None),
        (b"null", None),
        (b'"5"', None),
        (b"1e3", None),
        (b"9" * 40, None),
        (b"{}", None),
    ],
)
def test_a_total_that_is_none_is_not_believed(total: bytes, read: int | None) -> None:
    assert session_page(page(good(), total=total), NOW, 1).total == read


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"sessions":null}', b'{"sessions":{}}', b'{"items":[]}', b"null", b'"x"', page(good())[:-40],
     b'{"sessions":[', b"\xff", b"[" * 100_000, b'{"detail":"no"}', page(good(), b"{", good())],
)  # fmt: skip
def test_what_is_no_list_of_sessions_says_so(body: bytes) -> None:
    with pytest.raises(BadReply, match="no list of sessions"):
        session_page(body, NOW, 1)


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert len(session_page(b"\xef\xbb\xbf" + page(good()), NOW, 1).items) == 1
