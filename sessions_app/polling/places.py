"""Where live sessions of large accounts were last seen in the list: a help, not a fact, so it lives in the cache."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache

from sessions_app.rules.pages import Extent, NewAt, Place, learned, pages_of_the_new
from sessions_app.upstream.pages import SessionPage

KEPT_S = 24 * 3600


@dataclass
class Memory:
    """Place by uuid, and where new sessions show up.

    While `look_until` (seconds since 1970) has not come, somebody was added who was not found yet; `looked_at` is when
    we last asked for the running browsers because of that (`newcomers`).
    """

    places: dict[UUID, Place]
    new_at: NewAt = NewAt.FRONT
    look_until: float = 0.0
    looked_at: float = 0.0

    def learn(self, pages: Iterable[SessionPage], new: Collection[UUID], added: int, known: Extent) -> None:
        """After page 1, and again after the rest: what `added` new ones tell about the order of the list."""
        count = {page.page: sum(item.uuid in new for item in page.items) for page in pages}
        end = pages_of_the_new(added, known, new_at=NewAt.BACK)
        self.new_at = learned(self.new_at, count, added, known, at_end=end & count.keys())

    def note(self, page: SessionPage, known: Extent, live: Collection[UUID]) -> None:
        """The live sessions of a page stand where they stand now."""
        total = page.total if page.total is not None else known.total
        if total is None:
            return
        first = (page.page - 1) * known.size
        for index, item in enumerate(page.items):
            if item.uuid in live:
                self.places[item.uuid] = Place(first + index, total)


def recall(account_id: int) -> Memory:
    """What earlier sweeps remembered; nothing, if the cache forgot."""
    places, new_at, *moments = cache.get(_key(account_id)) or ({}, NewAt.FRONT)
    return Memory({UUID(bytes=key): Place(*place) for key, place in places.items()}, NewAt(new_at), *moments)


def keep(account_id: int, memory: Memory, live: Collection[UUID]) -> None:
    """Remember the places of those that are live still."""
    places = {uuid.bytes: tuple(place) for uuid, place in memory.places.items() if uuid in live}
    kept = (places, str(memory.new_at), memory.look_until, memory.looked_at)
    cache.set(_key(account_id), kept, KEPT_S)


def _key(account_id: int) -> str:
    return f"places:2:{account_id}"
