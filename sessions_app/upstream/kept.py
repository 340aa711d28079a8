"""What is kept of a reply: valid JSON of at most 256 KB, without a single address that opens something."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

LARGEST_KEPT = 256 * 1024
NOT_KEPT = b'"(not kept)"'
_TASK_FIELDS = frozenset({"output", "outputSchema", "title", "lastStepSummary"})
_SECRET = re.compile(
    r"urls?$|token$|secret$|password$|credentials?$|api_?key$|cookies?$|authorization$", re.IGNORECASE
)
_SIGNED = re.compile(r"^wss?://|[?&](?:x-amz-\w+|signature|sig|token|expires|key)=", re.IGNORECASE)
_ADDRESS = re.compile(rb'"[^"\\]*:(?:/|\\/){2}(?:[^"\\]|\\.)*"?|\b[a-z]+://[^\s"\\]+', re.IGNORECASE)
_UNTYPED = msgspec.json.Decoder()
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def kept(raw: bytes, values: Mapping[str, Any], secrets: Iterable[str]) -> bytes:
    """The reply to store.  `values` are its decoded fields, `secrets` texts that are cut out wherever they stand.

    Only the task's own fields keep addresses: they are the customer's data.
    """
    fields = {name: bytes(value) for name, value in _FIELDS.decode(raw).items()}
    for name, value in values.items():
        if name not in _TASK_FIELDS:
            fields[name] = _cut_field(name, value, fields[name])
    marks = [msgspec.json.encode(secret)[1:-1] for secret in secrets if len(secret) > 8]
    for name, value in fields.items():
        fields[name] = _without(value, marks)
    return _sized(fields)


def excerpt(raw: bytes, longest: int = 2_000) -> bytes:
    """The beginning of what nobody could read, with every address cut out."""
    return _ADDRESS.sub(NOT_KEPT, raw[: longest * 2])[:longest]


def _cut_field(name: str, value: Any, raw: bytes) -> bytes:
    if not _is_sensitive(name, value):
        return raw
    return msgspec.json.encode(_cut(name, value))


def _is_sensitive(name: str, value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_sensitive(inner_name, inner) for inner_name, inner in value.items())
    if isinstance(value, list):
        return any(_is_sensitive(name, inner) for inner in value)
    return isinstance(value, str) and bool(value) and bool(_SECRET.search(name) or _SIGNED.search(value))


def _cut(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner_name: _cut(inner_name, inner) for inner_name, inner in value.items()}
    if isinstance(value, list):
        return [_cut(name, inner) for inner in value]
    return "(not kept)" if _is_sensitive(name, value) else value


def _without(value: bytes, marks: Iterable[bytes]) -> bytes:
    for mark in marks:
        if mark in value:
            value = value.replace(mark, b"(not kept)")
    return value


def _sized(fields: dict[str, bytes]) -> bytes:
    """`output` gives way first, then whatever is largest."""
    encoded = _encoded(fields)
    while len(encoded) > LARGEST_KEPT and fields:
        largest = max(
            fields, key=lambda name: (len(fields[name]) > 1024, name == "output", len(fields[name]))
        )
        if len(fields[largest]) <= 1024:
            return msgspec.json.encode({"(not kept)": f"{len(fields):,} fields of {len(encoded):,} bytes"})
        fields[largest] = _note(fields[largest])
        encoded = _encoded(fields)
    return encoded


def _note(value: bytes) -> bytes:
    digest = hashlib.sha256(value).hexdigest()
    return msgspec.json.encode({"(not kept)": "too large", "bytes": len(value), "sha256": digest})


def _encoded(fields: dict[str, bytes]) -> bytes:
    return msgspec.json.encode({name: msgspec.Raw(value) for name, value in fields.items()})
