"""Answers of the vendor's for tests that need no server."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import xxhash

from sessions_app.types import Answer, SessionData

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def seen(number: int = 1, **fields: Any) -> SessionData:
    """A running session; its digest is that of the fields, `updated_at` and addresses apart."""
    known: dict[str, Any] = {
        "uuid": UUID(int=number, version=4), "status": "running", "model": "bu-mini",
        "created_at": NOON, "updated_at": NOON, "title": "Compare offers",
    }  # fmt: skip
    data = SessionData(**(known | fields))
    hashed = msgspec.structs.replace(data, updated_at=None, screenshot_url=None, recording_urls=(), digest=0)
    digest = xxhash.xxh3_64_intdigest(repr(hashed).encode()) >> 1
    return msgspec.structs.replace(data, digest=digest, raw=data.raw or b'{"id": "x"}')


def answer(seconds: float, number: int = 1, **fields: Any) -> Answer:
    """An answer to a request that began so many seconds after noon; `updated_at` is that moment unless given."""
    return Answer(at(seconds), seen(number, **({"updated_at": at(seconds)} | fields)))
