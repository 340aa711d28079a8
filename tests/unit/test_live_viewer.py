"""A page's buffer, the line by which a browser's pages hear, and the viewers that see alike."""

import asyncio
import zlib
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

from sessions_app.live.audience import Audience
from sessions_app.live.frames import Batch, Frame, RowFrames
from sessions_app.live.line import Line
from sessions_app.live.tickets import Ticket
from sessions_app.live.viewer import CHUNK, FORBIDDEN, MAX_NOTES, SLOW, Viewer
from sessions_app.types import Sight


def viewer(*session_ids: int, page: str = "live", is_first: bool = True) -> Viewer:
    return Viewer(Ticket(7, session_ids, page, datetime.now(UTC)), "key", Sight(), is_first=is_first)


def taken(one: Viewer) -> bytes:
    return b"".join(frame.plain for frame in one.take())


def row(version: int, step: str = "", **columns: object) -> SimpleNamespace:
    html = f'<li id="s-1" data-version="{version}">\n<p data-cell="title">Title</p>\n<p data-cell="step">{step}</p>\n</li>'
    known = {"uuid": UUID(int=1), "is_live": True, "attention_rank": 0, "status": "running"}
    return SimpleNamespace(version=version, html=html.encode(), **(known | columns))


class Browser:
    """The other end of ASGI's `send`.  A stuck one takes nothing after its first words."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.got: list[dict] = []
        self.reads = asyncio.Event()
        if not stuck:
            self.reads.set()

    async def send(self, message: dict) -> None:
        if self.got:
            await self.reads.wait()
        self.got.append(message)

    @property
    def bodies(self) -> list[tuple[bytes, bool]]:
        return [(message["body"], message["more_body"]) for message in self.got[1:]]


async def a_turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


# ---- what waits ------------------------------------------------------------------------------------------


def test_rows_come_before_notes_and_the_strip_last():
    one = viewer(1)
    one.put_pulse(Frame(b"strip "))
    one.put(Frame(b"note "))
    one.put_row(1, Frame(b"row "))
    assert taken(one) == b"row note strip "
    assert not one.waits and taken(one) == b""


def test_a_newer_row_takes_the_place_of_the_older():
    one = viewer(1, 2)
    one.put_row(1, Frame(b"first "))
    one.put_row(2, Frame(b"other "))
    one.put_row(1, Frame(b"second "))
    one.put_pulse(Frame(b"old"))
    one.put_pulse(Frame(b"new"))
    assert taken(one) == b"second other new"


def test_who_reads_slowly_gets_chunks_and_the_latest():
    one = viewer(*range(100))
    for version in (b"1", b"2"):
        for session_id in range(100):
            one.put_row(session_id, Frame(version * 4000))
    first = taken(one)
    assert CHUNK <= len(first) < CHUNK + 4000
    one.put_row(99, Frame(b"3" * 4000))
    one.put(Frame(b"note"))
    rest = b""
    while not rest.endswith(b"note"):
        rest += taken(one)
    assert len(first) + len(rest) == 100 * 4000 + 4
    assert rest.endswith(b"3" * 4000 + b"note")
    assert b"1" not in first + rest
    assert not one.waits


def test_notes_that_pile_up_end_the_stream():
    one = viewer(1)
    one.put_row(1, Frame(b"row"))
    for _ in range(MAX_NOTES // 100 + 1):
        one.put(Frame(b"x" * 100))
    assert one.closing
    one.put(Frame(b"more"))
    one.put_row(1, Frame(b"more"))
    assert one.take() == [SLOW]


def test_a_closed_stream_says_its_last_words_and_nothing_that_waited():
    one = viewer(1)
    one.put_row(1, Frame(b"secret"))
    one.close(FORBIDDEN)
    one.close(SLOW)
    assert one.take() == [FORBIDDEN]


def test_a_new_session_is_introduced_once_and_never_if_it_is_on_the_page():
    one = viewer(1)
    for session_id in (1, 2, 2):
        one.introduce(session_id, Frame(b"%d " % session_id))
    assert taken(one) == b"2 "


# ---- only what differs -----------------------------------------------------------------------------------


def batch(version: int, step: str, before: SimpleNamespace | None = None) -> Batch:
    return Batch({1: RowFrames(row(version, step), 5, before)}, "live")


def test_who_is_up_to_date_gets_only_what_differs():
    one = viewer(1)
    one.is_current = True
    one.put_rows(batch(2, "Two", row(1, "One")))
    text = taken(one)
    assert b"Two" in text and b"Title" not in text
    assert b'data-version="2" data-base="1"' in text


def test_who_is_not_gets_the_whole_row():
    behind, slow = viewer(1), viewer(1)
    slow.is_current = True
    behind.put_rows(batch(2, "Two", row(1, "One")))
    assert b"Title" in taken(behind), "it may not have the version on which the parts build"
    slow.put_rows(batch(2, "Two", row(1, "One")))
    slow.put_rows(batch(3, "Three", row(2, "Two")))
    text = taken(slow)
    assert b"Title" in text and b"Three" in text and b"Two" not in text, "it never read the one in between"
    slow.put_rows(batch(4, "Four", row(3, "Three")))
    assert b"Title" not in taken(slow), "it has all again"


def test_a_strip_that_nobody_read_is_followed_by_a_whole_one():
    one = viewer()
    one.is_current = True
    one.put_pulse(Frame(b"whole 1"), Frame(b"parts 1"))
    assert taken(one) == b"parts 1"
    one.put_pulse(Frame(b"whole 2"), Frame(b"parts 2"))
    one.put_pulse(Frame(b"whole 3"), Frame(b"parts 3"))
    assert taken(one) == b"whole 3"


def test_everybody_on_a_screen_gets_the_very_same_bytes():
    audience, ada, ben = Audience(Sight()), viewer(1), viewer(1)
    for one in (ada, ben):
        audience.add(one)
        one.is_current = True
    audience.show({1: row(1)}, 5)
    (adas,), (bens,) = ada.take(), ben.take()
    assert adas.packed is bens.packed


# ---- what is written -------------------------------------------------------------------------------------


def test_what_comes_is_written_until_the_end():
    async def scene() -> list[tuple[bytes, bool]]:
        one, browser = viewer(1), Browser()
        line = Line([one], browser.send, packs=False)
        await line.begin([], 1000)
        for text in (b"first", b"second"):
            one.put_row(1, Frame(text))
            await a_turn()
        one.close(FORBIDDEN)
        await asyncio.wait_for(line.ended, 1)
        return browser.bodies

    assert asyncio.run(scene()) == [(b"first", True), (b"second", True), (FORBIDDEN.plain, False)]


def test_what_comes_in_one_turn_is_written_together():
    async def scene() -> list[tuple[bytes, bool]]:
        one, browser = viewer(1), Browser()
        line = Line([one], browser.send, packs=False)
        await line.begin([], 1000)
        one.put_row(1, Frame(b"row "))
        one.put(Frame(b"note"))
        await a_turn()
        return browser.bodies

    assert asyncio.run(scene()) == [(b"row note", True)]


def test_several_pages_share_a_line_and_are_told_apart():
    async def scene() -> bytes:
        first, second, browser = viewer(1), viewer(2, is_first=False), Browser()
        line = Line([first, None, second], browser.send, packs=False)
        await line.begin([1], 1000)
        first.put_row(1, Frame(b"A1;"))
        second.put_row(2, Frame(b"B1;"))
        await a_turn()
        second.put_row(2, Frame(b"B2;"))
        await a_turn()
        first.put_row(1, Frame(b"A2;"))
        await a_turn()
        return b"".join(message["body"] for message in browser.got)

    text = asyncio.run(scene()).decode()
    view = 'event: view\ndata: {{"n":{}}}\n\n'.format
    assert text.split("\n\n", 1)[1] == (
        f"{view(1)}{FORBIDDEN.plain.decode()}{view(0)}A1;{view(2)}B1;B2;{view(0)}A2;"
    )


def test_a_packed_stream_is_one_gzip_stream_whose_frames_anybody_may_get():
    shared = Frame(b"event: row\ndata: " + b"shared " * 100 + b"\n\n")

    async def scene(*frames: Frame) -> bytes:
        one, browser = viewer(1), Browser()
        line = Line([one], browser.send, packs=True)
        await line.begin([], 1000)
        for frame in frames:
            one.put_row(1, frame)
            await a_turn()
        return b"".join(message["body"] for message in browser.got)

    for before in ([], [Frame(b"other " * 50)], [Frame(b"x"), Frame(b"y" * 9000)]):
        text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(asyncio.run(scene(*before, shared)))
        assert text.endswith(shared.plain)
    assert len(shared.packed) < len(shared.plain) / 5


def test_a_browser_that_takes_nothing_is_given_up():
    async def scene() -> None:
        one, browser = viewer(1), Browser(stuck=True)
        line = Line([one], browser.send, packs=False)
        await line.begin([], 1000)
        line.give_up_if_stuck(-1)  # it only waits for something to write
        one.put_row(1, Frame(b"row"))
        await a_turn()
        line.give_up_if_stuck(20)
        await a_turn()
        assert not line.ended.done(), "not yet"
        line.give_up_if_stuck(-1)
        await asyncio.wait_for(line.ended, 1)

    asyncio.run(scene())


def test_what_came_while_a_browser_read_nothing_is_written_once_it_reads():
    async def scene() -> list[tuple[bytes, bool]]:
        one, browser = viewer(1), Browser(stuck=True)
        line = Line([one], browser.send, packs=False)
        await line.begin([], 1000)
        for text in (b"first", b"second", b"third"):
            one.put_row(1, Frame(text))
            await a_turn()
        browser.reads.set()
        await a_turn()
        await a_turn()
        return browser.bodies

    assert asyncio.run(scene()) == [(b"first", True), (b"third", True)]


# ---- who looks at what -----------------------------------------------------------------------------------


def test_an_audience_knows_who_watches_what():
    audience, ada, ben = Audience(Sight()), viewer(1, 2), viewer(2, 3)
    audience.add(ada)
    audience.add(ben)
    assert audience.watched([1, 2, 3, 4]) == [1, 2, 3]
    audience.show({2: row(1)}, 5)
    assert ada.waits and ben.waits
    audience.discard(ada)
    assert audience.watched([1, 2, 3, 4]) == [2, 3]
    audience.discard(ben)
    assert not audience


def test_what_was_shown_is_no_news_until_nobody_watches():
    audience, ada = Audience(Sight()), viewer(1)
    audience.add(ada)
    for version, is_news in ((5, True), (5, False), (4, False), (6, True)):
        audience.show({1: row(version)}, 5)
        assert ada.waits == is_news
        ada.take()
    assert audience.shown(1) == 6
    audience.discard(ada)
    assert audience.shown(1) == -1
