"""Spans of time as people type them."""

import re

MOST_S = 100 * 365 * 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART = re.compile(
    r"\s*(\d{1,9}(?:[.,]\d{1,6})?)\s*(seconds?|secs?|minutes?|mins?|hours?|days?|[smhd])?(?![a-z])", re.ASCII
)


def seconds_of(text: str) -> float | None:
    """`90 s`, `5` (minutes), `1h 30m`, `2.5 hours` in seconds; None for anything else, and past a century."""
    text, at, total = text.strip().lower(), 0, 0.0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or not part.group():
            return None
        total += float(part.group(1).replace(",", ".")) * _SECONDS[(part.group(2) or "m")[0]]
        at = part.end()
    return total if text and total <= MOST_S else None


def in_words(seconds: float) -> str:
    """`90 s` for 90, `5 min` for 300, `1 h 30 min`: short, exact to the second, and read back by `seconds_of`."""
    left, words = round(seconds), []
    if seconds < 120 and seconds % 60:
        return f"{seconds:g} s"
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        many, left = divmod(left, size)
        if many:
            words.append(f"{many} {name}")
    return " ".join(words) or "0 s"
