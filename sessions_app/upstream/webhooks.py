"""What Browser Use sends by itself: is it really theirs, is it fresh, and which session is it about?

A webhook is a hint, never data: it has no event id, may come twice, late or never, and does not know `error` or
`timed_out`.  So only the session's id is taken from it, and the session is read.
Documentation: https://docs.browser-use.com/cloud/webhooks
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

SIGNATURE_HEADER = "X-Browser-Use-Signature"
TIMESTAMP_HEADER = "X-Browser-Use-Timestamp"
LARGEST = 256 * 1024
"""Bytes of a body.  The vendor's have some hundred."""
TOLERANCE_S = 300
"""Older is a replay by the vendor's own words; as far ahead, somebody's clock is wrong."""

_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class News(NamedTuple):
    """A webhook whose signature was good.  `session` is None when it is about none (`test`)."""

    kind: str
    session: UUID | None


class WebhookRefused(Exception):
    """Not believed.  `words` says to people why and what to do, `status` to the sender."""

    def __init__(self, words: str, status: int = 401) -> None:
        super().__init__(words)
        self.words, self.status = words, status


def read(secret: str, timestamp: str, signature: str, body: bytes, now_s: float) -> News:
    """The news in `body`.  `timestamp` and `signature` are the headers as they came.  Raises WebhookRefused."""
    if len(body) > LARGEST:
        raise too_large()
    if not secret:
        raise WebhookRefused("No webhook secret is set for this account: set the one that Browser Use shows.")
    _check_moment(timestamp, now_s)
    message = _parsed(body)
    if not _is_signed(secret, timestamp, signature, _forms(body, message)):
        raise WebhookRefused(
            "The signature does not match: the secret set here is not the one that it was signed with."
        )
    if not isinstance(message, dict):
        raise WebhookRefused("Signed well, but no JSON object: the vendor's format may have changed.", 400)
    return _news(message)


def too_large() -> WebhookRefused:
    return WebhookRefused(f"Larger than {LARGEST // 1024} KB: not read.", 413)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over `{timestamp}.{body}`."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _check_moment(timestamp: str, now_s: float) -> None:
    if not timestamp:
        raise WebhookRefused(f"It has no {TIMESTAMP_HEADER}: not from Browser Use, or a proxy cut it off.")
    if not _SECONDS.fullmatch(timestamp):
        raise WebhookRefused("Its timestamp is not in seconds: not from Browser Use.")
    off_s = int(now_s) - int(
        timestamp
    )  # in whole seconds, as the vendor counts; the way here takes some, too
    if not -TOLERANCE_S < off_s <= TOLERANCE_S:
        side = "behind" if off_s > 0 else "ahead of"
        raise WebhookRefused(
            f"Its timestamp is {abs(off_s)} s {side} our clock: a replay, or a clock is wrong. Check ours."
        )


def _is_signed(secret: str, timestamp: str, signature: str, forms: Iterator[bytes]) -> bool:
    """Anything but 64 hex digits is no signature: compare_digest raises on what is not ASCII."""
    if not _SIGNATURE.fullmatch(signature):
        return False
    return any(hmac.compare_digest(sign(secret, timestamp, form), signature) for form in forms)


def _forms(body: bytes, message: Any) -> Iterator[bytes]:
    """What may have been signed: the body as it came, or put into the documented form (keys sorted at every depth,
    no white space), which the vendor's Python writes with escapes and its TypeScript without."""
    yield body
    if isinstance(message, dict):
        for escaped in (True, False):
            try:
                text = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=escaped)
                yield text.encode()
            except (ValueError, RecursionError):
                return


def _parsed(body: bytes) -> Any:
    """The JSON value; None for what is none.  Depth and long numbers don't raise RecursionError or worse."""
    try:
        return json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _news(message: dict[str, Any]) -> News:
    """Of any kind: one that we don't know yet may be about a session, too."""
    payload = message.get("payload")
    about = payload.get("session_id") if isinstance(payload, dict) else None
    return News(_plain(message.get("type")), _uuid(about))


def _plain(kind: Any) -> str:
    """At most 60 characters that both databases store."""
    text = kind if isinstance(kind, str) else ""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:60])


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) and value.isascii() else None
    except ValueError:
        return None
