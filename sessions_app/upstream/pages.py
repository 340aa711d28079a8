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


_list = msgspec.json.Decoder(_List)
_heads = msgspec.json.Decoder(list[UUID])
_head = msgspec.json.Decoder(_Head)
_STARTS_WITH_ID = re.compile(
    rb'\{\s*"id"\s*:\s*("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")'
).match
_TOTAL = re.compile(rb"[0-9]{1,18}")


def session_page(body: bytes, read_at: datetime, page: int) -> SessionPage:
    """Raises BadReply when this is no list of sessions at all; a bad session is set aside."""
    listed = _split(body)
    raws = [bytes(raw) for raw in listed.sessions]
    items, set_aside = _all_items(raws)
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
    """All ids by one call where each session begins with a good one; else one by one."""
    starts = [_STARTS_WITH_ID(raw) for raw in raws]
    if all(starts):
        ids = b",".join([start[1] for start in starts if start])
        uuids = _heads.decode(b"[" + ids + b"]")
        return tuple(map(Item, uuids, map(digest_of, raws), raws)), ()
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
