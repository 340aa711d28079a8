"""Where live sessions of large accounts were last seen in the list: a help, not a fact, so it lives in the cache."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache

from sessions_app.rules.pages import Extent, Place
from sessions_app.upstream.pages import SessionPage

KEPT_S = 24 * 3600


@dataclass
class Memory:
    """Place by uuid, and whether new sessions were last seen to come in at the front."""

    places: dict[UUID, Place]
    newest_first: bool

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
    newest_first, places = cache.get(_key(account_id)) or (True, {})
    return Memory({UUID(bytes=key): Place(*place) for key, place in places.items()}, newest_first)


def keep(account_id: int, memory: Memory, live: Collection[UUID]) -> None:
    """Remember the places of those that are live still."""
    places = {uuid.bytes: tuple(place) for uuid, place in memory.places.items() if uuid in live}
    cache.set(_key(account_id), (memory.newest_first, places), KEPT_S)


def _key(account_id: int) -> str:
    return f"places:{account_id}"
