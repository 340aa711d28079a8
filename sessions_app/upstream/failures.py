"""From what httpx and HTTP say to what `errors` means."""

import asyncio
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from .errors import (
    BadReply,
    Conflict,
    Disconnected,
    Forbidden,
    Invalid,
    NotFound,
    NotSent,
    PaymentRequired,
    RateLimited,
    Refused,
    ServerFault,
    TimedOut,
    Unauthorized,
    UpstreamError,
)

SHORTEST_WAIT_S, LONGEST_WAIT_S = 1, 300
_SECONDS = re.compile(r"-?[0-9]{1,20}(\.[0-9]{0,9})?", re.ASCII)


def timed_out(deadline_s: float, *, sent: bool, is_write: bool) -> UpstreamError:
    """The wall deadline passed; `sent` says whether the request had left by then."""
    if is_write and not sent:
        return NotSent(f"No connection to Browser Use within {deadline_s:g} s: nothing was sent.")
    words = f"Browser Use did not answer within {deadline_s:g} s."
    return TimedOut(words + _doubt(is_write), may_have_happened=is_write)


def from_httpx(error: Exception, *, sent: bool, is_write: bool) -> UpstreamError:
    """Whatever httpx raised.  `sent` matters for writes only: before it nothing can have happened."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError() | httpx.PoolTimeout():
            return NotSent(f"Browser Use could not be reached ({_cause(error)}). Nothing was sent.")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | UnicodeError():
            return NotSent("The address or the API key cannot be sent as it is. Check both in the settings.")
    if is_write and not sent:
        return NotSent("The connection to Browser Use broke before anything was sent.")
    words = "The connection to Browser Use broke before the answer was complete."
    return Disconnected(words + _doubt(is_write), may_have_happened=is_write)


def from_status(response: httpx.Response, body: bytes, *, is_write: bool, key: str) -> UpstreamError:
    """Any answer but a 2xx.  `body` may be cut; the vendor's words are quoted, the key never."""
    status = response.status_code
    said = _vendor_words(body).replace(key, "(key)") if key else _vendor_words(body)
    said = f" Browser Use says: {said}" if said else ""
    if 300 <= status < 400:
        words = (
            "Browser Use answered with a redirect, which is not followed: it would carry the key elsewhere."
        )
        return BadReply(words + " Check the base URL.", status_code=status, may_have_happened=is_write)
    if status >= 500 or status < 200:
        words = f"Browser Use has a problem of its own ({status})."
        return ServerFault(words + _doubt(is_write) + said, status_code=status, may_have_happened=is_write)
    if status == 408:
        words = "Browser Use gave up waiting (408)."
        return TimedOut(words + _doubt(is_write), status_code=status, may_have_happened=is_write)
    if status == 429:
        return RateLimited(
            "Browser Use asks us to slow down (429)." + said, retry_after_s=retry_after_s(response.headers)
        )
    kind, words = _refusal(status, is_write=is_write)
    return kind(words + said, status_code=status)


def _refusal(status: int, *, is_write: bool) -> tuple[type[Refused], str]:
    if status == 403 and is_write:
        return Forbidden, "Browser Use does not allow this with our key (403)."
    return {
        400: (Invalid, "Browser Use found the request invalid (400)."),
        401: (Unauthorized, "Browser Use does not accept the API key (401). Check it in the settings."),
        402: (PaymentRequired, "Browser Use wants payment (402): no credits left, or the key's spend limit."),
        403: (Unauthorized, "The API key may not read this project (403). Check it in the settings."),
        404: (NotFound, "Browser Use does not know this (404)."),
        409: (Conflict, "Browser Use finds this in conflict with how things are now (409)."),
        410: (NotFound, "Browser Use says that this is gone (410)."),
        422: (Invalid, "Browser Use found the request invalid (422)."),
    }.get(status, (Refused, f"Browser Use refused the request ({status})."))


def retry_after_s(headers: httpx.Headers) -> int | None:
    """`Retry-After` in seconds or as a date, held to 1..300; None when absent or unreadable.

    A date is measured against the reply's own `Date`: the vendor's clock may be an hour off ours.
    """
    said = headers.get("retry-after", "").strip()
    if not said:
        return None
    if _SECONDS.fullmatch(said):
        return _clamp(float(said))
    until, now = _http_date(said), _http_date(headers.get("date", "")) or datetime.now(UTC)
    return _clamp((until - now).total_seconds()) if until else None


def _clamp(seconds: float) -> int:
    return int(min(max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _doubt(is_write: bool) -> str:
    return " Whether it took effect is not known." if is_write else ""


def _cause(error: Exception) -> str:
    """The innermost reason in a few words, without addresses."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    if isinstance(error, asyncio.CancelledError | TimeoutError):
        return "no connection in time"
    return f"{type(error).__name__}: {error}"[:160] if str(error) else type(error).__name__


def _vendor_words(body: bytes) -> str:
    """`detail` (a string, or the list of a 422) on one line, at most 300 characters; "" when there is none."""
    try:
        reply: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    detail = (
        reply.get("detail") or reply.get("message") or reply.get("error") if isinstance(reply, dict) else ""
    )
    if isinstance(detail, list):
        detail = "; ".join(_one_detail(each) for each in detail[:5])
    elif isinstance(detail, dict):
        detail = detail.get("message") or detail.get("msg") or msgspec.json.encode(detail).decode()
    text = " ".join(str(detail or "").split())
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)[:300]


def _one_detail(detail: Any) -> str:
    if not isinstance(detail, dict):
        return str(detail)
    where = detail.get("loc")
    place = ".".join(str(part) for part in where) + ": " if isinstance(where, list) else ""
    return f"{place}{detail.get('msg', '')}"
