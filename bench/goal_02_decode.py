"""Goal 2: from a page's bytes to "these ten changed, and here they are"."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from browser_use_sdk.v3 import SessionListResponse

from bench.harness import Row, below, medians, within
from bench.replies import PAGE, fetched, page_body
from sessions_app.upstream.pages import session_page
from sessions_app.upstream.schema import read_session

PAGES = 40


class _Split(msgspec.Struct):
    sessions: list[msgspec.Raw]


def rows(database: str) -> Iterator[Row]:
    before = [fetched(page_body(1 + number % 20, 0), number) for number in range(PAGES)]
    after = [fetched(page_body(1 + number % 20, 1), 1_000 + number) for number in range(PAGES)]
    now = datetime.now(UTC)
    known = {item.uuid: item.digest for body in before for item in session_page(body, now, 1).items}

    def ours() -> None:
        for body in after:
            items = session_page(body, now, 1).items
            changed = [
                read_session(item.raw, item.digest) for item in items if known[item.uuid] != item.digest
            ]
            assert len(changed) == PAGE // 10

    splitter = msgspec.json.Decoder(_Split)
    seconds = medians(
        {
            "official": lambda: [SessionListResponse.model_validate(json.loads(body)) for body in after],
            "split": lambda: [splitter.decode(body) for body in after],
            "ours": ours,
        }
    )
    each = {name: value / PAGES / PAGE * 1e6 for name, value in seconds.items()}
    number = f"{each['ours']:.2f} µs CPU per session"
    yield below(
        2, f"decode, official client {each['official']:.2f} µs", number, each["official"] / each["ours"], 8
    )
    yield within(2, f"decode, splitting only {each['split']:.2f} µs", number, each["ours"] / each["split"], 2)
