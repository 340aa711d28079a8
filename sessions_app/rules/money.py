"""Money without floats: the vendor's decimal strings to integer micro-dollars and back."""

import re

MICRO = 1_000_000
LARGEST_MICRO = 10**15
"""A billion dollars.  More than that is a broken reply, and would overflow sums in the database."""

_DECIMAL = re.compile(r"(?![-+.]*\Z)([+-]?)([0-9]*)(?:\.([0-9]*))?\Z", re.ASCII)


def parse_micro(text: str) -> int | None:
    """`"12.34"` → 12_340_000.  None for anything off the vendor's pattern, or absurdly large.

    The pattern (`^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$`) admits `+.5`, `00.10` and `7.`; it does not admit
    `1e3`, an empty string, digits of other scripts or a trailing newline, which `Decimal` would take.
    Digits past the sixth are rounded half up, away from zero.
    """
    match = _DECIMAL.match(text)
    if match is None or len(text) > 4_000:
        return None
    sign, whole, fraction = match.group(1), match.group(2).lstrip("0"), match.group(3) or ""
    if len(whole) > 10:
        return None
    micro = int(whole or "0") * MICRO + int(fraction[:6].ljust(6, "0"))
    micro += fraction[6:7] >= "5"
    if micro > LARGEST_MICRO:
        return None
    return -micro if sign == "-" else micro


def format_exact(microusd: int) -> str:
    """All that is known, no digit dropped: 12_340_000 → `12.34`, 1_234 → `0.001234`, 5_000_000 → `5.00`."""
    sign, micro = ("-", -microusd) if microusd < 0 else ("", microusd)
    whole, fraction = divmod(micro, MICRO)
    return f"{sign}{whole:,}.{f'{fraction:06d}'.rstrip('0').ljust(2, '0')}"


def format_short(microusd: int) -> str:
    """For dense lists: cents from ten cents up, four digits below, so that small spend stays visible."""
    sign, micro = ("-", -microusd) if microusd < 0 else ("", microusd)
    if micro >= 100_000 or micro == 0:
        cents = (micro + 5_000) // 10_000
        return f"{sign}{cents // 100:,}.{cents % 100:02d}"
    tenths_of_mills = (micro + 50) // 100
    return f"{sign}0.{tenths_of_mills:04d}"
