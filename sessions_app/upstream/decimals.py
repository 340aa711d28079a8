"""The vendor's decimals, exactly: strings (or JSON numbers) to integer millionths, never through a float.

Dollars become micro-dollars by this, and megabytes bytes.
"""

import re
from decimal import Decimal
from functools import lru_cache

MICRO = 1_000_000
LARGEST_MICRO = 10**15
"""A billion dollars.  More than that is a broken reply, and would overflow sums in the database."""

_DECIMAL = re.compile(r"(?![-+.]*\Z)([+-]?)([0-9]*)(?:\.([0-9]*))?\Z", re.ASCII)
_SCALE = (MICRO, 100_000, 10_000, 1_000, 100, 10, 1)
_LONGEST = 4_000


@lru_cache(maxsize=1024)  # most costs of most sessions did not change, and many are "0"
def parse_micro(text: str) -> int | None:
    """`"12.34"` → 12_340_000.  None for anything off the vendor's pattern, or absurdly large.

    The pattern (`^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$`) admits `+.5`, `00.10` and `7.`; it does not admit
    `1e3`, an empty string, digits of other scripts or a trailing newline, which `Decimal` would take.
    Digits past the sixth are rounded half up, away from zero.
    """
    whole, _, fraction = text.partition(".")
    if text.isascii() and whole.isdigit() and fraction.isdigit() and len(whole) < 10 and len(fraction) < 7:
        return int(whole) * MICRO + int(fraction) * _SCALE[len(fraction)]
    match = _DECIMAL.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    sign, whole, fraction = match.group(1), match.group(2).lstrip("0"), match.group(3) or ""
    if len(whole) > 10:
        return None
    micro = int(whole or "0") * MICRO + int(fraction[:6].ljust(6, "0"))
    micro += fraction[6:7] >= "5"
    if micro > LARGEST_MICRO:
        return None
    return -micro if sign == "-" else micro


def micro_of_number(number: int | Decimal) -> int | None:
    """A JSON number by its text, so `1e-05` (how Python writes 0.00001) counts; None when absurdly large."""
    exact = Decimal(number)
    if not exact.is_finite() or exact.adjusted() > 15 or exact.adjusted() < -_LONGEST:
        return None if not exact.is_zero() else 0
    return parse_micro(f"{exact:f}")
