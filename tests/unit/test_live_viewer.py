"""A viewer's buffer, and the viewers that see alike."""

import asyncio
from datetime import UTC, datetime

from sessions_app.live.tickets import Ticket
from sessions_app.live.viewer import CHUNK, FORBIDDEN, MAX_NOTES, SLOW, Audience, Viewer
from sessions_app.types import Sight


def viewer(*session_ids: int, page: str = "live") -> Viewer:
    return Viewer(Ticket(7, session_ids, page, datetime.now(UTC)), "key", Sight())


class Browser:
    """The other end of ASGI's `send`.  A stuck one takes nothing."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.got: list[dict] = []
        self.reads = asyncio.Event()
        if not stuck:
            self.reads.set()

    async def send(self, message: dict) -> None:
        await self.reads.wait()
        self.got.append(message)


def test_rows_come_before_notes_and_the_strip_last():
    one = viewer(1)
    one.put_pulse(b"strip ")
    one.put(b"note ")
    one.put_row(1, b"row ")
    assert one.take() == b"row note strip "
    assert one.take() == b""


def test_a_newer_row_takes_the_place_of_the_older():
    one = viewer(1, 2)
    one.put_row(1, b"first ")
    one.put_row(2, b"other ")
    one.put_row(1, b"second ")
    one.put_pulse(b"old")
    one.put_pulse(b"new")
    assert one.take() == b"second other new"


def test_alone_it_is_the_very_bytes_that_everybody_gets():
    frame = b"x" * 5000
    one = viewer(1)
    one.put_row(1, frame)
    assert one.take() is frame


def test_who_reads_slowly_gets_chunks_and_the_latest():
    one = viewer(*range(100))
    for version in (b"1", b"2"):
        for session_id in range(100):
            one.put_row(session_id, version * 4000)
    first = one.take()
    assert CHUNK <= len(first) < CHUNK + 4000
    one.put_row(99, b"3" * 4000)
    one.put(b"note")
    rest = b""
    while not rest.endswith(b"note"):
        rest += one.take()
    assert len(first) + len(rest) == 100 * 4000 + 4
    assert rest.endswith(b"3" * 4000 + b"note")
    assert b"1" not in first + rest
    assert one.take() == b""


def test_notes_that_pile_up_end_the_stream():
    one = viewer(1)
    one.put_row(1, b"row")
    for _ in range(MAX_NOTES // 100 + 1):
        one.put(b"x" * 100)
    assert one.closing
    one.put(b"more")
    one.put_row(1, b"more")
    assert one.take() == SLOW


def test_a_closed_stream_says_its_last_words_and_nothing_that_waited():
    one = viewer(1)
    one.put_row(1, b"secret")
    one.close(FORBIDDEN)
    one.close(b"again")
    assert one.take() == FORBIDDEN


def test_what_comes_is_written_until_the_end():
    async def scene() -> list[dict]:
        one, browser = viewer(1), Browser()
        writing = asyncio.create_task(one.write_all(browser.send))
        for frame in (b"first", b"second"):
            one.put_row(1, frame)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        one.close(FORBIDDEN)
        await asyncio.wait_for(writing, 1)
        return browser.got

    bodies = [(message["body"], message["more_body"]) for message in asyncio.run(scene())]
    assert bodies == [(b"first", True), (b"second", True), (FORBIDDEN, False)]


def test_a_browser_that_takes_nothing_is_given_up():
    async def scene() -> None:
        one = viewer(1)
        writing = asyncio.create_task(one.write_all(Browser(stuck=True).send))
        one.give_up_if_stuck(0)  # it only waits for something to write
        await asyncio.sleep(0.01)
        one.put_row(1, b"row")
        await asyncio.sleep(0.01)
        one.give_up_if_stuck(20)
        await asyncio.sleep(0.01)
        assert not writing.done(), "not yet"
        one.give_up_if_stuck(0)
        await asyncio.wait([writing], timeout=1)
        assert isinstance(writing.exception(), TimeoutError)

    asyncio.run(scene())


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
