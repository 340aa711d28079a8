"""Reading a reply's body without trusting its size: the cap counts what comes out of the decoder."""

import zlib
from typing import Protocol

import httpx

from .errors import BadReply, TooLarge

LARGEST_BODY = 10 * 1024 * 1024


class _Decoder(Protocol):
    def feed(self, chunk: bytes, room: int) -> bytes: ...
    def finish(self) -> None: ...


class _Plain:
    def feed(self, chunk: bytes, room: int) -> bytes:
        return chunk

    def finish(self) -> None:
        pass


class _Inflate:
    """gzip or zlib.  httpx would inflate each chunk whole: 300 KB can become 300 MB before anyone counts."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=47)

    def feed(self, chunk: bytes, room: int) -> bytes:
        try:
            return self._zlib.decompress(chunk, room + 1)
        except zlib.error as error:
            raise BadReply("The reply's compression is broken. Tried again with the next reading.") from error

    def finish(self) -> None:
        if not self._zlib.eof:
            raise BadReply("The reply was cut short. Tried again with the next reading.")


def _decoder(response: httpx.Response) -> _Decoder:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate()
    raise BadReply(f"The reply is compressed in a way nobody asked for ({encoding[:40]}).")


async def read_body(response: httpx.Response, largest: int = LARGEST_BODY) -> bytes:
    """The decoded body of a streamed response; BadReply when it is larger than `largest` bytes or broken."""
    decoder = _decoder(response)
    parts: list[bytes] = []
    room = largest
    async for chunk in response.aiter_raw():
        part = decoder.feed(chunk, room)
        room -= len(part)
        if room < 0:
            raise TooLarge(f"The reply is larger than {largest // 1024:,} KB: not read.")
        parts.append(part)
    decoder.finish()
    return b"".join(parts)
