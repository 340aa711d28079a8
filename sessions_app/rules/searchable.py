"""What of a session can be searched for.  Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import xxhash

from sessions_app.rules import words


class Source(NamedTuple):
    """A session as far as it can be searched for.  `raw` is the reply that is kept, for its output."""

    uuid: UUID
    title: str
    last_step: str
    is_live: bool
    task: str
    raw: str


class _Reply(msgspec.Struct):
    output: msgspec.Raw = msgspec.Raw(b"")


_reply = msgspec.json.Decoder(_Reply)


def digest_of(source: Source) -> int:
    """Signed 64 bits over what the document is made from: the same means that there is nothing to do."""
    parts = (source.title, _step_of(source), source.task)
    said = "\0".join(parts).encode("utf-8", "replace") + b"\0" + _raw_output(source.raw)
    return xxhash.xxh3_64_intdigest(said) - 2**63


def document_of(source: Source) -> str:
    """The words of title, task, output and id; of an ended session also those of its last step.

    A living one has another step every few seconds: that is looked up where it stands (`queries.search`).
    """
    return words.document(
        uuid=source.uuid,
        parts=(source.title, _step_of(source)),
        texts=(source.task, *_texts(_decoded(_raw_output(source.raw)))),
    )


def _step_of(source: Source) -> str:
    return "" if source.is_live else source.last_step


def _raw_output(raw: str) -> bytes:
    try:
        return bytes(_reply.decode(raw).output)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return b""


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else None
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _texts(value: Any) -> Iterator[str]:
    """Every text and number in it, names of fields too."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += reversed([part for pair in each.items() for part in pair])
        elif isinstance(each, list):
            waiting += reversed(each)
        elif isinstance(each, str) or (isinstance(each, int | float) and not isinstance(each, bool)):
            yield str(each)
