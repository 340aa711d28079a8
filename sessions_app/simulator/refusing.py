"""Replies that are given instead of an answer."""

from base64 import b64decode
from email.utils import formatdate

from .exchange import Reply, refusal
from .faults import Fault, Faults

_HTML = b"<!doctype html><title>Just a moment</title><h1>Checking your browser before you continue</h1>"
_WORDS = {400: "Bad Request", 401: "Invalid API key", 402: "Insufficient credits", 403: "Forbidden", 404: "Session not found",
          409: "Conflict", 422: "Unprocessable Entity"}  # fmt: skip


def reply_for(fault: Fault, faults: Faults, now_ms: int) -> Reply:
    if fault.kind in ("rate_limit", "throttle"):
        return refusal(429, "Too many requests", _retry_after(fault, now_ms))
    if fault.kind == "server_error":
        status = fault.status or faults.dice().pick((500, 502, 503))
        return (
            refusal(status, "Internal Server Error") if status == 500 else Reply(status, _HTML, "text/html")
        )
    if fault.kind == "status":
        status = fault.status or 403
        return refusal(status, fault.detail or _WORDS.get(status, "Refused"), tuple(fault.headers.items()))
    if fault.kind == "html_200":
        return Reply(200, fault.body.encode() or _HTML, "text/html; charset=utf-8")
    body = b64decode(fault.body_base64) if fault.body_base64 else fault.body.encode("utf-8", "surrogatepass")
    return Reply(fault.status or 200, body, fault.content_type, tuple(fault.headers.items()))


def _retry_after(fault: Fault, now_ms: int) -> tuple[tuple[str, str], ...]:
    if fault.retry_after in ("none", "", None):
        return ()
    if fault.retry_after == "date":
        return (("retry-after", formatdate(now_ms / 1000 + 2, usegmt=True)),)
    return (("retry-after", str(fault.retry_after)),)
