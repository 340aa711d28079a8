"""When a budget's period begins and ends, and which of its warnings are due.  Pure."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

MOST_WARNINGS = 10
LARGEST_PERCENT = 1_000


def period_of(period: str, today: date) -> tuple[date, date]:
    """The first day of the day, week (from Monday) or month of `today`, and of the one after."""
    if period == "day":
        return today, today + timedelta(days=1)
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    first = today.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def due(spent: int, amount: int, warn_at: Iterable[int], warned: Collection[int]) -> list[int]:
    """The percentages that are reached and of which nobody was told in this period."""
    return [percent for percent in warn_at if percent not in warned and spent * 100 >= amount * percent]


def percentages(text: str) -> list[int]:
    """`80, 50 %` → [50, 80].  Raises ValueError with words for the person who typed it."""
    parts = text.replace("%", " ").replace(",", " ").replace(";", " ").split()
    if not all(part.isascii() and part.isdigit() and 0 < int(part[:6]) <= LARGEST_PERCENT for part in parts):
        raise ValueError(
            f"Percentages are whole numbers from 1 to {LARGEST_PERCENT}, for example 50, 80, 100."
        )
    if not 0 < len(parts) <= MOST_WARNINGS:
        raise ValueError(f"Give one to {MOST_WARNINGS} percentages, for example 50, 80, 100.")
    return sorted({int(part) for part in parts})
