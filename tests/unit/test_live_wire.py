"""What goes over the wire of the live push: events, tickets, requests."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
import time_machine
from django.utils.html import escape

from sessions_app.live import events, frames, tickets
from sessions_app.live.delta import parts_that_differ
from sessions_app.live.line import MOST_VIEWS
from sessions_app.live.stream import Request

ADA = SimpleNamespace(pk=7)
UUID_1 = UUID("018f4a63-0000-7000-8000-000000000001")


# ---- events ----------------------------------------------------------------------------------------


def test_an_event_has_a_name_an_id_and_each_line_of_its_data():
    assert events.event("row", b"<li>\n<b>\r\nx\ry", 12) == (
        b"id: 12\nevent: row\ndata: <li>\ndata: <b>\ndata: x\ndata: y\n\n"
    )


def test_line_separators_of_unicode_end_no_line():
    """Only CR and LF do in the standard; Python's str knows ten more."""
    text = "a\u2028b\x85c\x0bd\x1ee".encode()
    assert events.event("row", text) == b"event: row\ndata: " + text + b"\n\n"


def test_no_data_ends_an_event_early():
    event = events.event("row", b"<p>\n\nid: 666\nevent: forbidden\n\n</p>", 1)
    assert event.count(b"\n\n") == 1
    assert event.count(b"\nevent:") == 1


def test_a_ping_is_seen_by_scripts():
    assert b"data: 1\n" in events.ping(5), "an event without data is not dispatched"


# ---- a row's events --------------------------------------------------------------------------------


def row(*, is_live: bool = True, attention_rank: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        uuid=UUID_1, version=1, is_live=is_live, status="running", attention_rank=attention_rank, html=b"<li>"
    )


@pytest.mark.parametrize(
    ("page", "is_live", "rank", "leaves"),
    [
        ("live", True, 0, False),
        ("live", False, 3, True),
        ("attention", True, 2, False),
        ("attention", True, 0, True),
        ("attention", False, 2, True),
        ("session", False, 0, False),
    ],
)
def test_who_leaves_which_page(page, is_live, rank, leaves):
    frame = frames.RowFrames(row(is_live=is_live, attention_rank=rank), 9).on(page).plain
    assert frame.startswith(b"id: 9\nevent: row\ndata: <li>\n\n")
    assert (f'event: gone\ndata: {{"id":"{UUID_1}"}}'.encode() in frame) is leaves


def test_a_new_one_is_introduced_by_what_a_filter_asks_for():
    data = frames.introduction(row(attention_rank=2), 9).plain.partition(b"data: ")[2]
    assert json.loads(data) == {"id": str(UUID_1), "status": "running", "attention": 2}


# ---- the parts that differ --------------------------------------------------------------------------

BEFORE = b"""<li id="s-1" data-version="4" data-status="running">
<label>pick</label>
<div class="name">
<a data-cell="title" href="/x">Title</a>
<p data-cell="step">One</p>
</div>
<p data-cell="cost">
<b>$1</b>
</p>
</li>"""


def test_only_parts_that_differ_are_sent():
    after = BEFORE.replace(b'"4"', b'"5"').replace(b"running", b"idle").replace(b"$1", b"$2")
    parts = parts_that_differ(BEFORE, after)
    assert parts.startswith(b'<li id="s-1" data-version="5" data-status="idle" data-base="4">')
    assert b"$2" in parts
    assert b"Title" not in parts and b"One" not in parts and b"pick" not in parts


def test_a_row_of_which_nothing_differs_is_its_own_tag():
    assert parts_that_differ(BEFORE, BEFORE.replace(b'"4"', b'"5"')).count(b"data-cell") == 0


@pytest.mark.parametrize("other", [b"", b"<li>", BEFORE.replace(b'<p data-cell="step">One</p>\n', b"")])
def test_where_the_parts_are_others_the_whole_is_sent(other):
    assert parts_that_differ(other, BEFORE) == b""
    assert parts_that_differ(BEFORE, other) == b""


def test_no_words_of_a_session_look_like_a_part():
    evil = escape('\n<p data-cell="cost">free</p>').encode()
    after = BEFORE.replace(b"One", evil)
    assert parts_that_differ(BEFORE, after).count(b"\n<p data-cell=") == 1


# ---- tickets ---------------------------------------------------------------------------------------


def test_a_ticket_says_who_what_and_when():
    now = datetime(2026, 11, 24, 3, 0, 0, 250_000, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        ticket = tickets.read(tickets.make(ADA, [30, 10, 20, 10], "attention"))
    assert ticket == tickets.Ticket(7, (10, 20, 30), "attention", now)


def test_a_ticket_of_an_empty_page():
    assert tickets.read(tickets.make(ADA, [], "live")).session_ids == ()


def test_a_ticket_is_good_for_twelve_hours():
    now = datetime.now(UTC)
    text = tickets.make(ADA, [1], "live")
    with time_machine.travel(now + timedelta(hours=11, minutes=59)):
        assert tickets.read(text).user_id == 7
    with time_machine.travel(now + timedelta(hours=12, minutes=1)), pytest.raises(tickets.BadTicket):
        tickets.read(text)


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "😀", "." * 300, "a" * 5000])
def test_what_is_no_ticket_is_refused(text):
    with pytest.raises(tickets.BadTicket):
        tickets.read(text)


def test_a_ticket_cannot_be_altered():
    text = tickets.make(ADA, [1, 2, 3], "live")
    for place in range(0, len(text), 7):
        altered = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(tickets.BadTicket):
            tickets.read(altered)


def test_something_else_that_we_signed_is_no_ticket():
    from django.core import signing

    with pytest.raises(tickets.BadTicket):
        tickets.read(signing.dumps({"u": 7, "s": [], "p": "live", "t": 0}))


def test_a_page_of_a_thousand_sessions_fits_an_address():
    text = tickets.make(ADA, range(5_000_000, 5_003_000, 2), "live")
    assert len(text) < 6000
    assert len(tickets.read(text).session_ids) == tickets.MAX_SESSIONS


# ---- requests --------------------------------------------------------------------------------------


def request(query: str = "", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"method": "GET", "query_string": query.encode(), "headers": raw})


def test_the_browsers_last_event_counts_more_than_the_address():
    assert request("since=5", last_event_id="7").asked == [("", 7)]
    assert request("since=5").asked == [("", 5)]


@pytest.mark.parametrize("text", ["", "-1", "x", "٣", "1e3", "9" * 40])
def test_a_made_up_moment_is_none(text):
    assert request(f"since={text}").asked == [("", None)]


def test_each_page_of_a_browser_has_its_ticket_and_its_moment():
    asked = request("ticket=a&since=5&ticket=b&since=&ticket=c&since=7").asked
    assert asked == [("a", 5), ("b", None), ("c", 7)]
    assert len(request("&".join(["ticket=x"] * 50)).asked) == MOST_VIEWS


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [("gzip, deflate, br", True), ("br,GZIP", True), ("br", False), ("gzip;q=0", False), ("", False)],
)
def test_only_who_takes_gzip_gets_it(accepted, takes):
    assert request(accept_encoding=accepted).takes_gzip is takes


def test_the_session_is_that_of_the_cookie():
    assert request(cookie="a=b; sessionid=abc; c=d").session_key == "abc"
    assert request().session_key == ""
