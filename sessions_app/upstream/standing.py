"""How a budget stands, for people and for /metrics."""

from math import exp
from typing import Any, NamedTuple

import redis

from .budget import RANKS


class Standing(NamedTuple):
    """A budget as people see it.  `limited`: how often we were refused; ages in seconds, None for never."""

    rate_per_s: float
    ceiling_per_s: float | None
    blocked_for_s: float
    short_ago_s: float | None
    limited_ago_s: float | None
    limited: int
    used_per_s: float
    sent: dict[str, int]
    denied: dict[str, int]


def standing(client: redis.Redis, key: str) -> Standing | None:
    """How the budget stands; None when nothing was asked for yet.  Raises redis.RedisError."""
    found: dict[Any, Any] = client.hgetall(key)
    raw: dict[str, float] = {name.decode(): float(value) for name, value in found.items()}
    if not raw:
        return None
    seconds, micros = client.time()
    now = seconds + micros / 1e6

    def ago(name: str) -> float | None:
        return max(0.0, now - raw[name]) if name in raw else None

    def counts(kind: str) -> dict[str, int]:
        return {purpose: int(raw.get(f"{kind}:{purpose}", 0)) for purpose in RANKS}

    return Standing(
        rate_per_s=raw["rate"],
        ceiling_per_s=raw["ceiling"] or None,
        blocked_for_s=max(0.0, raw.get("blocked_until", 0) - now),
        short_ago_s=ago("short_at"),
        limited_ago_s=ago("limited_at"),
        limited=int(raw.get("limited", 0)),
        used_per_s=raw["used"] * exp(raw["used_at"] - now),
        sent=counts("sent"),
        denied=counts("denied"),
    )
