"""What things cost. Integers only: micro-dollars (1,000,000 = $1), and nano-dollars where a token costs less than one.

The figures are invented, but their order of magnitude is that of mid 2026.
"""

from typing import NamedTuple


class ModelPrice(NamedTuple):
    input_nano: int  # nano-dollars per input token; most input of an agent's step is cached, so this is below list price
    output_nano: int
    weight: int  # how often the floor uses it, out of 100
    thinking: bool  # whether `thinkingLevel` makes sense


# Only names that the official client 3.12.1 knows: one that it does not makes its `sessions.list` raise for the whole page.
MODELS = {
    "bu-mini": ModelPrice(147, 1_960, 26, False),
    "bu-max": ModelPrice(630, 6_300, 12, False),
    "bu-ultra": ModelPrice(1_330, 14_700, 3, False),
    "gemini-3-flash": ModelPrice(112, 1_680, 20, True),
    "gemini-3.5-flash": ModelPrice(133, 2_030, 8, True),
    "gpt-5.4-mini": ModelPrice(168, 2_380, 9, True),
    "claude-haiku-4.5": ModelPrice(245, 3_220, 6, False),
    "claude-sonnet-5": ModelPrice(686, 9_100, 7, True),
    "claude-opus-4.7": ModelPrice(1_120, 15_400, 5, True),
    "claude-opus-4.8": ModelPrice(1_120, 15_400, 2, True),
    "gpt-5.5": ModelPrice(910, 8_400, 2, True),
}

# Accepted in a create call, besides those above: the mid-2026 OpenAPI and the late-2026 client disagree, so take both.
ALSO_ACCEPTED = {
    "claude-sonnet-4.6", "claude-opus-4.6", "glm-5.2", "minimax-m3", "grok-4.6", "glm-5.3-flash", "deepseek-v4-flash-vision",
    "gpt-5.2", "gpt-5-mini", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gemini-3-pro", "gemini-3.1-pro",
}  # fmt: skip
DEFAULT_MODEL = "claude-opus-4.7"
_UNLISTED = ModelPrice(420, 4_900, 0, True)

PROXY_MICROS_PER_KB = 4  # $4 per GB
BROWSER_MS_PER_MICRO = 60  # $0.06 per hour


def llm_nanos(model: str, tokens_in: int, tokens_out: int) -> int:
    """Nano-dollars for one step."""
    price = MODELS.get(model, _UNLISTED)
    return tokens_in * price.input_nano + tokens_out * price.output_nano


def usd(micros: int) -> str:
    """Micro-dollars → the vendor's decimal string, four to six decimals; nothing spent is "0"."""
    if micros == 0:
        return "0"
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    decimals = f"{micros % 1_000_000:06d}".rstrip("0").ljust(4, "0")
    return f"{sign}{micros // 1_000_000}.{decimals}"


def megabytes(kilobytes: int) -> str:
    """Kilobytes → decimal string in megabytes."""
    return f"{kilobytes // 1000}.{kilobytes % 1000:03d}" if kilobytes else "0"
