"""How fast a session spends, smoothed: costs arrive in lumps, one per step."""

import math
from datetime import datetime

TIME_CONSTANT_S = 60.0
LARGEST_MICROUSD_PER_MIN = 10**12


def updated_burn(burn: int, spent_microusd: int, since: datetime, at: datetime, began: datetime) -> int:
    """The rate in micro-dollars a minute after `spent_microusd` was seen spent between `since` and `at`.

    Exponentially weighted with a time constant of a minute, so that irregular polls weigh by their length.
    In its first minute since `began` it is the plain average: else each task would seem to start slowly.
    """
    elapsed_s = (at - since).total_seconds()
    if elapsed_s <= 0:
        return burn
    rate = max(spent_microusd, 0) * 60 / elapsed_s
    share = elapsed_s / max((at - began).total_seconds(), elapsed_s)
    weight = max(1 - math.exp(-elapsed_s / TIME_CONSTANT_S), share)
    return min(round(burn + weight * (rate - burn)), LARGEST_MICROUSD_PER_MIN)


def first_burn(total_microusd: int, created_at: datetime, at: datetime) -> int:
    """A first guess for a session that was running before we looked: its average so far."""
    minutes = max((at - created_at).total_seconds() / 60, 1.0)
    return min(round(max(total_microusd, 0) / minutes), LARGEST_MICROUSD_PER_MIN)
