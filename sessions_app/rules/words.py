"""Text as words that can be searched for, alike on every database.  Pure.

A session's document is a set of words.  Whoever searches gives beginnings of words, and all of them must be there.
Case, accents and the width of letters make no difference.  Chinese, Japanese and Thai put no space between words:
there every pair of neighbouring characters is a word.  Of title and last step every ending of a word is one too
("oices" of "invoices"), so that any part of a word is the beginning of something, and is found.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

LONGEST_WORD = 40
"""Characters.  Of a longer one (an address, a token) the beginning is kept."""
LONGEST_READ = 20_000
"""Characters of a text.  What stands behind them is not found."""
MOST_WORDS = 1_500
"""Different ones of a document."""
MOST_ASKED = 12
SHORTEST_PART = 3
"""A part of a word from within it has at least so many characters."""
ID_MARK = "¶"
"""Before what comes of an id, so that `face` is not looked for in ids unless it may be one."""
ID_PIECE = 12
SHORTEST_ID = 4
"""Fewer hexadecimal digits than that are a word, not a part of an id."""
_HEX = frozenset("0123456789abcdef-")

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U000323af]+"
)


class Asked(NamedTuple):
    """What somebody searches for: beginnings of words that must all be there; or pieces of an id, likewise."""

    words: tuple[str, ...]
    id_pieces: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.words and not self.id_pieces


def document(*, uuid: UUID, parts: Iterable[str], texts: Iterable[str]) -> str:
    """The words of a session, each once, with spaces between.  `parts` are found by any part of a word, `texts` by
    its beginning.  What matters most comes first, for there is an end to how many are kept."""
    found = dict.fromkeys(_id_words(uuid))
    for text in parts:
        found |= dict.fromkeys(_with_endings(words(text)))
    for text in texts:
        found |= dict.fromkeys(words(text))
        if len(found) > MOST_WORDS:
            break
    return " ".join(list(found)[:MOST_WORDS])


def asked(text: str) -> Asked:
    """Any text at all; one without a single word in it asks for nothing that there is."""
    found = tuple(dict.fromkeys(words(text)))[:MOST_ASKED]
    return Asked(found, tuple(ID_MARK + piece for piece in _id_pieces(text)))


def words(text: str) -> list[str]:
    """In the order of the text, with repetitions."""
    text = text[:LONGEST_READ]
    if text.isascii():
        return [word[:LONGEST_WORD] for word in _ASCII_WORD.findall(text.lower())]
    return [word for run in _runs(_folded(text)) for word in _of_run(run)]


def _folded(text: str) -> str:
    """Lower case, without accents, letters in their usual width."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()))
    return unicodedata.normalize("NFC", plain)


def _runs(text: str) -> Iterator[str]:
    """What stands between spaces and punctuation.  Symbols such as 🚀 count as letters."""
    return filter(None, "".join(char if _is_of_a_word(char) else " " for char in text).split())


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or (char > "\x7f" and unicodedata.category(char) in ("Mn", "Mc", "So"))


def _of_run(run: str) -> Iterator[str]:
    end = 0
    for unspaced in _UNSPACED.finditer(run):
        if unspaced.start() > end:
            yield run[end : unspaced.start()][:LONGEST_WORD]
        yield from _pairs(unspaced.group())
        end = unspaced.end()
    if end < len(run):
        yield run[end:][:LONGEST_WORD]


def _pairs(run: str) -> Iterator[str]:
    """Every two neighbours, and the last by itself: so each character is the beginning of something."""
    yield from (run[index : index + 2] for index in range(len(run)))


def _with_endings(found: Iterable[str]) -> Iterator[str]:
    for word in found:
        yield word
        yield from (word[start:] for start in range(1, len(word) - SHORTEST_PART + 1))


def _id_words(uuid: UUID) -> Iterator[str]:
    digits = uuid.hex
    for start in range(len(digits) - SHORTEST_ID + 1):
        yield ID_MARK + digits[start : start + ID_PIECE]


def _id_pieces(text: str) -> Iterator[str]:
    """Hexadecimal digits, with or without dashes, in pieces as the document has them; nothing for anything else."""
    lowered = text.strip().lower()
    digits = lowered.replace("-", "")
    if not set(lowered) <= _HEX or not SHORTEST_ID <= len(digits) <= 32:
        return
    for start in range(0, len(digits), ID_PIECE):
        yield digits[min(start, max(len(digits) - ID_PIECE, 0)) :][:ID_PIECE]
