"""A viewer's buffer, and the viewers that see alike."""

import asyncio
from datetime import UTC, datetime

from sessions_app.live.tickets import Ticket
from sessions_app.live.viewer import CHUNK, FORBIDDEN, MAX_NOTES, SLOW, Audience, Viewer
from sessions_app.types import Sight


def viewer(*session_ids: int, page: str = "live") -> Viewer:
    return Viewer(Ticket(7, session_ids, page, datetime.now(UTC)), "key", Sight())


def taken(one: Viewer) -> bytes:
    return asyncio.run(asyncio.wait_for(one.take(), 1))


def waits(one: Viewer) -> bool:
    async def take() -> bool:
        try:
            await asyncio.wait_for(one.take(), 0.01)
        except TimeoutError:
            return True
        return False

    return asyncio.run(take())


def test_rows_come_before_notes_and_the_strip_last():
    one = viewer(1)
    one.put_pulse(b"strip ")
    one.put(b"note ")
    one.put_row(1, b"row ")
    assert taken(one) == b"row note strip "
    assert waits(one)


def test_a_newer_row_takes_the_place_of_the_older():
    one = viewer(1, 2)
    one.put_row(1, b"first ")
    one.put_row(2, b"other ")
    one.put_row(1, b"second ")
    one.put_pulse(b"old")
    one.put_pulse(b"new")
    assert taken(one) == b"second other new"


def test_alone_it_is_the_very_bytes_that_everybody_gets():
    frame = b"x" * 5000
    one = viewer(1)
    one.put_row(1, frame)
    assert taken(one) is frame


def test_who_reads_slowly_gets_chunks_and_the_latest():
    one = viewer(*range(100))
    for version in (b"1", b"2"):
        for session_id in range(100):
            one.put_row(session_id, version * 4000)
    first = taken(one)
    assert CHUNK <= len(first) < CHUNK + 4000
    one.put_row(99, b"3" * 4000)
    one.put(b"note")
    rest = b""
    while not waits_for_more(rest):
        rest += taken(one)
    assert len(first) + len(rest) == 100 * 4000 + 4
    assert rest.endswith(b"3" * 4000 + b"note")
    assert b"1" not in first + rest
    assert waits(one)


def waits_for_more(received: bytes) -> bool:
    return received.endswith(b"note")


def test_notes_that_pile_up_end_the_stream():
    one = viewer(1)
    one.put_row(1, b"row")
    for _ in range(MAX_NOTES // 100 + 1):
        one.put(b"x" * 100)
    assert one.closing
    one.put(b"more")
    one.put_row(1, b"more")
    assert taken(one) == SLOW


def test_a_closed_stream_says_its_last_words_and_nothing_that_waited():
    one = viewer(1)
    one.put_row(1, b"secret")
    one.close(FORBIDDEN)
    one.close(b"again")
    assert taken(one) == FORBIDDEN


def test_an_audience_knows_who_watches_what():
    audience, ada, ben = Audience(Sight()), viewer(1, 2), viewer(2, 3)
    audience.add(ada)
    audience.add(ben)
    assert audience.watched([1, 2, 3, 4]) == [1, 2, 3]
    assert set(audience.watching(2)) == {ada, ben}
    audience.discard(ada)
    assert audience.watched([1, 2, 3, 4]) == [2, 3]


def test_what_was_shown_is_no_news_until_nobody_watches():
    audience, ada = Audience(Sight()), viewer(1)
    audience.add(ada)
    assert audience.is_news(1, 5)
    assert not audience.is_news(1, 5)
    assert not audience.is_news(1, 4)
    assert audience.is_news(1, 6)
    assert audience.shown(1) == 6
    audience.discard(ada)
    assert audience.shown(1) == -1
