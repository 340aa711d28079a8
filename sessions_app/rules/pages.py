"""Which pages of the vendor's list to read.  There is no status filter, no promised order, and pages shift.

Live sessions stand near the front of a newest-first list, but the long-lived ones lie scattered behind.  So we
remember where each was seen, and move the place along by what has been added since (`total` tells).
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from math import ceil
from typing import NamedTuple
from uuid import UUID

PAGE_SIZE = 100
SMALL_PAGES = 1
"""An account with no more pages than this is read whole each time."""


WHOLE_FROM = 0.95
"""A plan that asks for so much of the list asks for all of it: it costs little more, and leaves no stragglers."""


class NewAt(StrEnum):
    """Where the list shows new sessions; nobody promises it, so it is learned by watching."""

    FRONT = "front"
    BACK = "back"
    ANYWHERE = "anywhere"


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
    wanted: Collection[UUID], places: Mapping[UUID, Place], known: Extent, *, added: int, new_at: NewAt
) -> Plan:
    """How to read `wanted` (live, and not on page 1) and the `added` new ones with the fewest requests.

    Never more than all pages: where the places say little, the whole list is the cheapest question.
    """
    groups: dict[int, list[UUID]] = {}
    alone = []
    for uuid in wanted:
        page = page_of(places.get(uuid), known, new_at=new_at)
        if page is None:
            alone.append(uuid)
        else:
            groups.setdefault(page, []).append(uuid)
    pages = {page for page, uuids in groups.items() if len(uuids) > 1}
    fresh = pages_of_the_new(added, known, new_at=new_at)
    alone += [uuids[0] for page, uuids in groups.items() if page not in pages | fresh]
    pages = (pages | fresh) - {1}
    if known.pages is not None and 1 + len(pages) + len(alone) >= WHOLE_FROM * known.pages:
        return Plan(list(range(2, known.pages + 1)), [])
    return Plan(sorted(pages), alone)


def page_of(place: Place | None, known: Extent, *, new_at: NewAt) -> int | None:
    """Where a session should stand by now.  None when nobody knows."""
    if place is None or known.total is None or known.pages is None:
        return None
    moved = known.total - place.total
    if new_at == NewAt.BACK:
        moved = 0
    elif new_at == NewAt.ANYWHERE:
        moved = round(moved * place.rank / max(1, place.total))
    return min(max(0, place.rank + moved) // known.size + 1, known.pages)


def pages_of_the_new(added: int, known: Extent, *, new_at: NewAt) -> set[int]:
    """Where `added` new sessions should stand.  At the back one page is always looked at: there, as many as were
    added may have been deleted elsewhere, and `total` would not tell."""
    if known.pages is None or known.total is None or (added <= 0 and new_at != NewAt.BACK):
        return set()
    if new_at == NewAt.FRONT:
        # Page 1 is read anyway; what was added may have pushed some of itself on to the next.
        return set(range(2, min(ceil(added / known.size), known.pages) + 1))
    first = max(0, known.total - max(1, added)) // known.size + 1
    return set(range(first, known.pages + 1))


def learned(
    before: NewAt, new: Mapping[int, int], added: int, known: Extent, *, at_end: Collection[int]
) -> NewAt:
    """Where new ones show up, after `added` were added: `new` is how many stood on which of the pages read so far.

    `at_end`: those of the pages that `pages_of_the_new` names for the back that have been read.
    """
    most = min(added, known.size)
    if most <= 0:
        return before
    if 2 * new.get(1, 0) >= most:
        return NewAt.FRONT
    if not at_end:
        return NewAt.BACK if before == NewAt.FRONT else before  # look there
    found = 2 * sum(new.get(page, 0) for page in at_end) >= most
    return NewAt.BACK if found else NewAt.ANYWHERE


def is_last(known: Extent, page: int, on_page: int) -> bool:
    """Whether the list ends with this page.  A `total` that is too low does not end a list that goes on."""
    if on_page == 0:
        return True
    return on_page < known.size and page >= (known.pages or 0)
