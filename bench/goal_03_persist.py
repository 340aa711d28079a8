"""Goal 3: ten thousand sessions that were read, a tenth of them changed, into the database.  Wall time."""

import gc
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

from browser_use_sdk.v3 import SessionListResponse
from django.db import connection

from bench import naive
from bench.harness import WALL, Row, below, medians
from bench.replies import SESSIONS, page_body
from sessions_app.models import Account
from sessions_app.polling import lookup
from sessions_app.polling.ingest import apply_answers
from sessions_app.types import Answer
from sessions_app.upstream.pages import Item, session_page
from sessions_app.upstream.schema import read_session

ONE_BY_ONE_PAGES = 5
BATCH_PAGES = 4


def rows(database: str) -> Iterator[Row]:
    account = Account.objects.create(slug="bench", name="Bench", base_url="http://127.0.0.1:1", api_key="k")
    sides = {
        "one by one": _naive(account, "b", ONE_BY_ONE_PAGES, naive.update_or_create),
        "bulk": _naive(account, "c", SESSIONS // 100, naive.bulk_create),
        "ours": _ours(account),
    }
    seconds = medians(sides, WALL, settle=_tidy)
    rates = {name: SESSIONS / value for name, value in seconds.items()} | {
        "one by one": ONE_BY_ONE_PAGES * 100 / seconds["one by one"]
    }
    number = f"{rates['ours']:,.0f} sessions/s"
    one_by_one, bulk = f"{rates['one by one']:,.0f}", f"{rates['bulk']:,.0f}"
    what = f"persist, {database}, update_or_create {one_by_one}/s (measured on 500)"
    yield below(3, what, number, rates["ours"] / rates["one by one"], 100)
    yield below(
        3, f"persist, {database}, bulk_create of all {bulk}/s", number, rates["ours"] / rates["bulk"], 25
    )


def _tidy() -> None:
    """Writes leave a log to be folded in, and PostgreSQL dead rows, to whoever comes next: the naive sides most of all."""
    gc.collect()
    with connection.cursor() as cursor:
        cursor.execute(
            "PRAGMA wal_checkpoint(TRUNCATE)" if connection.vendor == "sqlite" else "VACUUM ANALYZE"
        )


def _naive(account: Account, family: str, pages: int, write: Callable[..., None]) -> Callable[[], None]:
    """What is decoded was decoded before: only writing is measured."""
    prepared = [
        [
            seen
            for page in range(1, pages + 1)
            for seen in SessionListResponse.model_validate(
                json.loads(page_body(page, generation, family))
            ).sessions
        ]
        for generation in range(2)
    ]
    turns = count()
    return lambda: write(account, prepared[next(turns) % 2])


def _ours(account: Account) -> Callable[[], None]:
    turns = count()
    prepared = [list(_batches(generation)) for generation in range(7)]

    def write() -> None:
        for uuids, digests, sessions in prepared[next(turns)]:
            known = lookup.stored(account.pk, uuids)
            news = [uuid for uuid in uuids if uuid not in known or known[uuid].digest != digests[uuid]]
            read_at = datetime.now(UTC)
            apply_answers(account, [Answer(read_at, sessions[uuid]) for uuid in news])

    write()  # the first reading inserts all: not what is measured
    return write


def _batches(generation: int) -> Iterator[tuple]:
    pages = SESSIONS // 100
    for first in range(1, pages + 1, BATCH_PAGES):
        items = [
            item
            for page in range(first, min(first + BATCH_PAGES, pages + 1))
            for item in _items(page, generation)
        ]
        sessions = {item.uuid: read_session(item.raw) for item in items}
        yield [item.uuid for item in items], {item.uuid: item.digest for item in items}, sessions


def _items(page: int, generation: int) -> tuple[Item, ...]:
    return session_page(page_body(page, generation), datetime.now(UTC), page).items
