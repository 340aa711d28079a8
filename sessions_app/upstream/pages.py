"""A list reply taken apart: sessions with a digest each, and what could not even be told apart."""

import re
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from sessions_app.types import SetAside

from .digest import digest_of
from .errors import BadReply
from .fields import shown, uuid_of
from .kept import excerpt
from .mend import mended


class Item(NamedTuple):
    """One session of a page, not yet read: `schema.read_session(raw)` does that when `digest` is news."""

    uuid: UUID
    digest: int
    raw: bytes


class SessionPage(NamedTuple):
    """A page of the list.  `total` is what the vendor claims; it may lie, and None is "did not say"."""

    read_at: datetime
    page: int
    total: int | None
    items: tuple[Item, ...]
    set_aside: tuple[SetAside, ...]


class _List(msgspec.Struct):
    sessions: list[msgspec.Raw]
    total: msgspec.Raw = msgspec.Raw(b"null")


class _Head(msgspec.Struct):
    id: Any = None


class _Start(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID


_list = msgspec.json.Decoder(_List)
_starts = msgspec.json.Decoder(list[_Start])
_head = msgspec.json.Decoder(_Head)
_START = len('{"id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"')
_TOTAL = re.compile(rb"[0-9]{1,18}")


def session_page(body: bytes, read_at: datetime, page: int) -> SessionPage:
    """Raises BadReply when this is no list of sessions at all; a bad session is set aside."""
    listed = _split(body)
    items, set_aside = _all_items(list(map(bytes, listed.sessions)))
    return SessionPage(read_at, page, _total(listed.total), items, set_aside)


def _split(body: bytes) -> _List:
    try:
        return _list.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _list.decode(mended(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadReply(
            f"Browser Use answered with something that is no list of sessions ({str(error)[:120]})."
        ) from None


def _total(raw: msgspec.Raw) -> int | None:
    text = bytes(raw)
    return int(text) if _TOTAL.fullmatch(text) else None


def _all_items(raws: list[bytes]) -> tuple[tuple[Item, ...], tuple[SetAside, ...]]:
    """All ids by one call where each session begins with its id, as the vendor's do; else one by one."""
    try:
        starts = _starts.decode(b"[" + b"},".join([raw[:_START] for raw in raws]) + b"}]" if raws else b"[]")
        ids = [start.id for start in starts]
        return tuple(map(Item._make, zip(ids, map(digest_of, raws), raws, strict=True))), ()
    except (msgspec.MsgspecError, ValueError):
        read = [_item(raw) for raw in raws]
    return (
        tuple(one for one in read if isinstance(one, Item)),
        tuple(one for one in read if isinstance(one, SetAside)),
    )


def _item(raw: bytes) -> Item | SetAside:
    try:
        head = _head.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return SetAside("", f"It is not a session: {str(error)[:160]}.", excerpt(raw))
    uuid = uuid_of(head.id)
    if uuid is None:
        stood = "missing" if head.id is None else f"no UUID: {shown(head.id, 60)}"
        return SetAside("" if head.id is None else shown(head.id, 80), f"Its id is {stood}.", excerpt(raw))
    return Item(uuid, digest_of(raw), raw)
