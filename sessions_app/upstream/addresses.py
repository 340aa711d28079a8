"""Addresses in free text: those that open something by themselves are cut out, all others are the customer's data."""

import re
from collections.abc import Iterable

NOT_KEPT = "(address not kept)"
_PART = r"(?:\\/|\\u0026|[^\s\"'<>\\`])"
_ADDRESS = re.compile(rf"\b(?:https?|wss?):(?:\\?/){{2}}{_PART}+", re.IGNORECASE)
_SOCKET = re.compile(r"wss?:", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:[?&;#]|\\u0026)(?:x-amz-\w+|x-goog-\w+|awsaccesskeyid|signature|sig|token|\w+[_-]token|expires|policy|"
    r"api_?key|key|secret|password|auth|authorization|credential)=",
    re.IGNORECASE,
)


def without_openers(text: str, origins: Iterable[str] = ()) -> str:
    """`text` without presigned addresses, sockets, and addresses on `origins` (https://host), JSON's escapes or not."""
    if ":/" not in text and ":\\/" not in text:
        return text
    lowered = tuple(origin.lower().rstrip("/") for origin in origins)
    return _ADDRESS.sub(lambda match: NOT_KEPT if _opens(match.group(), lowered) else match.group(), text)


def _opens(address: str, origins: tuple[str, ...]) -> bool:
    plain = address.replace("\\/", "/").lower()
    return bool(_SOCKET.match(plain) or plain.startswith(origins) or _SIGNED.search(address))
