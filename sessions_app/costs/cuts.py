"""Sides of a pivot that part the bookings and not the sessions: days, and kinds of cost."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sessions_app.costs.question import day_of
from sessions_app.costs.selection import Cut, Selection
from sessions_app.rules.money import KIND_WORDS

DAY, KIND = "day", "kind"


class Part(NamedTuple):
    """`value` is the day as the address bar spells it; "" where no filter says it."""

    value: str
    words: str
    cut: Cut


def kinds(chosen: Selection) -> list[Part]:
    """What totals have beyond their parts only where they have something."""
    parts = [Part("", words, Cut(kind)) for kind, words in KIND_WORDS.items()]
    return parts if chosen.booked(parts[-1].cut).any() else parts[:-1]


def days(chosen: Selection, tz: ZoneInfo, most: int) -> list[Part]:
    """Those with a booking, in the reader's zone, newest first; when there are more than `most`, all earlier ones are the
    last part."""
    stretches = list(_stretches([hour for hour, _ in chosen.hours], tz))[::-1]
    if len(stretches) <= most + 1:
        return [_day(*stretch) for stretch in stretches]
    named, earlier = stretches[:most], stretches[most:]
    words = f"{len(earlier):,} earlier days"
    return [*(_day(*stretch) for stretch in named), Part("", words, Cut(end_hour=earlier[0][2]))]


def _stretches(hours: Sequence[int], tz: ZoneInfo) -> Iterator[tuple[date, int, int]]:
    """(day, its first hour with a booking, the hour after its last one), oldest first."""
    by_day: dict[date, list[int]] = {}
    for hour in hours:
        by_day.setdefault(day_of(hour, tz), []).append(hour)
    return ((day, here[0], here[-1] + 1) for day, here in by_day.items())


def _day(day: date, first_hour: int, end_hour: int) -> Part:
    return Part(day.isoformat(), f"{day:%a} {day.day} {day:%b %Y}", Cut("total", first_hour, end_hour))
