"""Which pages of the vendor's list to read.  There is no status filter, no promised order, and pages shift.

Live sessions stand near the front of a newest-first list, but the long-lived ones lie scattered behind.  So we
remember where each was seen, and move the place along by what has been added since (`total` tells).
"""

from collections.abc import Collection, Mapping
from math import ceil
from typing import NamedTuple
from uuid import UUID

PAGE_SIZE = 100
SMALL_PAGES = 3
"""An account with no more pages than this is read whole each time."""


class Extent(NamedTuple):
    """How long the list is.  `total` None when the vendor does not say; `size` is what it really gives per page."""

    total: int | None
    size: int

    @property
    def pages(self) -> int | None:
        return None if self.total is None else max(1, ceil(self.total / self.size))

    @property
    def is_small(self) -> bool:
        return self.pages is not None and self.pages <= SMALL_PAGES


class Place(NamedTuple):
    """Where a session stood: its rank (from 0) in a list of `total`."""

    rank: int
    total: int


class Plan(NamedTuple):
    """Pages to read, and sessions to read alone: alone on its page, it costs no more and is surer."""

    pages: list[int]
    alone: list[UUID]


def extent(total: int | None, on_first_page: int) -> Extent:
    """A server may give fewer than the hundred asked for; then that is its page size."""
    short = total is not None and 0 < on_first_page < min(total, PAGE_SIZE)
    return Extent(total, on_first_page if short else PAGE_SIZE)


def plan(
    wanted: Collection[UUID], places: Mapping[UUID, Place], known: Extent, *, added: int, newest_first: bool
) -> Plan:
    """How to read `wanted` (live, and not on page 1) and the `added` new ones with the fewest requests.

    Never more than all pages: where the places say little, the whole list is the cheapest question.
    """
    groups: dict[int, list[UUID]] = {}
    alone = []
    for uuid in wanted:
        page = page_of(places.get(uuid), known, newest_first=newest_first)
        if page is None:
            alone.append(uuid)
        else:
            groups.setdefault(page, []).append(uuid)
    pages = {page for page, uuids in groups.items() if len(uuids) > 1}
    fresh = _pages_of_the_new(added, known, newest_first=newest_first)
    alone += [uuids[0] for page, uuids in groups.items() if page not in pages | fresh]
    pages = (pages | fresh) - {1}
    if known.pages is not None and len(pages) + len(alone) >= known.pages:
        return Plan(list(range(2, known.pages + 1)), [])
    return Plan(sorted(pages), alone)


def page_of(place: Place | None, known: Extent, *, newest_first: bool) -> int | None:
    """Where a session should stand by now.  None when nobody knows."""
    if place is None or known.total is None or known.pages is None:
        return None
    rank = place.rank + (known.total - place.total if newest_first else 0)
    return min(max(0, rank) // known.size + 1, known.pages)


def _pages_of_the_new(added: int, known: Extent, *, newest_first: bool) -> set[int]:
    if added <= 0 or known.pages is None:
        return set()
    count = min(ceil(added / known.size), known.pages)
    if newest_first:
        # Page 1 is read anyway; what was added may have pushed some of itself on to the next.
        return set(range(2, count + 1))
    return set(range(known.pages - count + 1, known.pages + 1))


def is_last(known: Extent, page: int, on_page: int) -> bool:
    """Whether the list ends with this page.  A `total` that is too low does not end a list that goes on."""
    if on_page == 0:
        return True
    return on_page < known.size and page >= (known.pages or 0)
