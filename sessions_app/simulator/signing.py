"""Presigned URLs and live-view tokens: HMAC over what they allow, and until when."""

import hmac
from urllib.parse import parse_qs

VALID_S = 300


def presign(secret: str, base: str, path: str, now_ms: int, nonce: int) -> str:
    """A URL below `base` that opens `path` for five minutes. The nonce makes each one new, like the vendor's."""
    expires = now_ms // 1000 + VALID_S
    return (
        f"{base}{path}?expires={expires}&nonce={nonce}&signature={_mac(secret, f'{path}|{expires}|{nonce}')}"
    )


def verdict(secret: str, path: str, query: str, now_ms: int) -> str:
    """ "" if the URL may be opened, else the reason why not."""
    given = {name: values[0] for name, values in parse_qs(query).items()}
    expires, nonce, signature = (given.get(name, "") for name in ("expires", "nonce", "signature"))
    wanted = _mac(secret, f"{path}|{expires}|{nonce}")
    if not (expires.isascii() and expires.isdigit()) or not _same(signature, wanted):
        return "SignatureDoesNotMatch"
    return "AccessDenied" if now_ms >= int(expires) * 1000 else ""


def live_token(secret: str, session_id: str) -> str:
    """Whoever has it can watch and drive that session's browser."""
    return _mac(secret, f"live|{session_id}")


def is_live_token(secret: str, session_id: str, token: str) -> bool:
    return _same(token, live_token(secret, session_id))


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="replace"), right.encode())


def _mac(secret: str, text: str) -> str:
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()[:40]
