"""JSON that no strict parser takes, made so that one does: one bad value must not cost a page of a hundred.

A slow second look, taken only after the fast parser has refused.  Whatever is mended becomes text, so that it
still shows as it was: NaN, Infinity, numbers too long for the parser and nests too deep for it.  In strings,
halves of surrogate pairs and bare control characters become U+FFFD, and bytes that are not UTF-8 too.
"""

import re
from collections.abc import Iterator

DEEPEST = 200
_LONGEST_NUMBER = 300
_FIXED = frozenset(("[", "{", ",", ":", "true", "false", "null"))

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[,:]|\s+|[^\s"\[\]{},:]+|"', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_LONE = re.compile(
    r"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_BARE_CONTROL = re.compile(r"[\x00-\x1f]")
_BAD_ESCAPE = re.compile(r'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]|(.?))', re.DOTALL)


def mended(raw: bytes) -> bytes:
    """The same JSON with nothing in it that a strict parser refuses, if its brackets and commas are right."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    return "".join(_pieces(text)).encode("utf-8", "replace")


def _pieces(text: str) -> Iterator[str]:
    depth = 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece in "]}":
            depth -= 1
            if depth < DEEPEST:
                yield piece
            continue
        if piece in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                yield '"(nested too deeply)"'
        if depth <= DEEPEST:
            yield _sound(piece)


def _sound(piece: str) -> str:
    if piece[0] == '"':
        return _sound_string(piece)
    if piece in _FIXED or piece.isspace():
        return piece
    if _NUMBER.fullmatch(piece) and len(piece) <= _LONGEST_NUMBER:
        return piece
    return _sound_string('"' + piece.replace("\\", "\\\\") + '"')


def _sound_string(piece: str) -> str:
    piece = _BARE_CONTROL.sub("\ufffd", piece)
    piece = _BAD_ESCAPE.sub(lambda m: m.group() if m.group(1) is None else f"\\\\{m.group(1)}", piece)
    return _LONE.sub(lambda m: m.group() if m.group(2) else m.group(1) + "\ufffd", piece)
