"""Requests and replies as plain values."""

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from .checks import invalid

BODY_LIMIT = 2_000_000
_encode = msgspec.json.Encoder().encode


class Request(NamedTuple):
    method: str
    path: str
    query_string: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    client: str  # the address it came from
    server: str

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def base(self) -> str:
        """The address the caller used, so that links in the answer work from where the caller is."""
        return f"http://{self.headers.get('host') or self.server}"

    def json(self) -> Any:
        """The body; None when there is none."""
        if not self.body.strip():
            return None
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise invalid(("body",), "JSON decode error", "json_invalid") from None


class Reply(NamedTuple):
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def head(self, length: int) -> list[tuple[bytes, bytes]]:
        fields = (("content-length", str(length)), *self.headers)
        if self.status != 204:
            fields = (("content-type", self.content_type), *fields)
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(status, _encode(value))


def refusal(status: int, detail: Any, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, _encode({"detail": detail}), headers=headers)
