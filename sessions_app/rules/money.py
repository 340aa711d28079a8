"""Money without floats: integer micro-dollars as people read them.  (`upstream.decimals` reads the vendor's.)"""

MICRO = 1_000_000
KIND_WORDS = {"llm": "LLM", "browser": "Browser", "proxy": "Proxy", "rest": "Not itemised"}
"""What a session's cost is made of, as people call it; `rest`: what its total has beyond the three."""


def format_exact(microusd: int) -> str:
    """All that is known, no digit dropped: 12_340_000 → `12.34`, 1_234 → `0.001234`, 5_000_000 → `5.00`."""
    sign, micro = ("-", -microusd) if microusd < 0 else ("", microusd)
    whole, fraction = divmod(micro, MICRO)
    return f"{sign}{whole:,}.{f'{fraction:06d}'.rstrip('0').ljust(2, '0')}"


def format_all(microusd: int) -> str:
    """Dollars with all six digits and nothing between them, for machines: `1234.500000`, `-0.500000`."""
    sign = "-" if microusd < 0 else ""
    return f"{sign}{abs(microusd) // MICRO}.{abs(microusd) % MICRO:06d}"


def format_short(microusd: int) -> str:
    """For dense lists: cents from ten cents up, four digits below, so that small spend stays visible."""
    sign, micro = ("-", -microusd) if microusd < 0 else ("", microusd)
    if micro >= 100_000 or micro == 0:
        cents = (micro + 5_000) // 10_000
        return f"{sign}{cents // 100:,}.{cents % 100:02d}"
    tenths_of_mills = (micro + 50) // 100
    return f"{sign}0.{tenths_of_mills:04d}"
