"""Asking for a session's messages, whichever end a reading without a cursor begins at.

The contract calls the list chronological, with `after` and `before`, and does not say which page comes without
either; the vendor's own client takes it for the newest.  So it is found out once, and remembered per account.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sessions_app.upstream.client import Client
from sessions_app.upstream.errors import OverBudget
from sessions_app.upstream.records import Message, MessagePage

PAGE = 100
HEAD = 10
"""Messages asked for when only the task is wanted: it is the first of them."""
MOST_PAGES_BACK = 10
DEADLINE_S = 5.0
"""Of a request: whoever is slower holds up the messages of other accounts."""
OLDEST, NEWEST = "oldest", "newest"


class Found(NamedTuple):
    """What a reading brought, oldest first.  `more`: there are newer ones.  `begins` is "" while nobody knows."""

    messages: tuple[Message, ...]
    more: bool
    begins: str
    from_start: bool
    """The first of them is the first of all, as far as anybody can tell."""


class Asking:
    """The requests of one round.  Raises OverBudget once `most` were sent, and UpstreamError."""

    def __init__(self, client: Client, most: int, begins: str = "") -> None:
        self._client, self.left, self.begins = client, most, begins

    def after(self, uuid: UUID, cursor: str) -> Found:
        """What came after a message that is known."""
        page = self._page(uuid, after=cursor)
        return Found(page.messages, page.has_more, self.begins, from_start=False)

    def whole(self, uuid: UUID) -> Found:
        """From the start, as far as a page goes; or the newest, and what can be had of those before."""
        return self._from_start(uuid, PAGE)

    def head(self, uuid: UUID) -> Found:
        """The first few, for the task's sake."""
        return self._from_start(uuid, PAGE if self.begins == NEWEST else HEAD)

    def _from_start(self, uuid: UUID, limit: int) -> Found:
        page = self._page(uuid, limit=limit)
        if not page.has_more or not page.messages:
            return Found(page.messages, more=False, begins=self.begins, from_start=True)
        if self.begins != OLDEST:
            earlier = self._page(uuid, before=page.messages[0].id)
            new = _unknown(earlier.messages, page.messages)
            self.begins = NEWEST if new else OLDEST
            if new:
                return self._back(uuid, [*new, *page.messages], more=earlier.has_more)
        return Found(page.messages, more=True, begins=self.begins, from_start=True)

    def _back(self, uuid: UUID, messages: list[Message], *, more: bool) -> Found:
        """Page by page to the start.  What cannot be reached stays unread."""
        for _ in range(MOST_PAGES_BACK):
            if not more:
                break
            page = self._page(uuid, before=messages[0].id)
            new = _unknown(page.messages, messages)
            messages, more = [*new, *messages], page.has_more and bool(new)
        return Found(tuple(messages), more=False, begins=self.begins, from_start=not more)

    def _page(self, uuid: UUID, *, after: str = "", before: str = "", limit: int = PAGE) -> MessagePage:
        if self.left <= 0:
            raise OverBudget(0)
        self.left -= 1
        return self._client.messages(uuid, after=after, before=before, limit=limit, deadline_s=DEADLINE_S)


def _unknown(messages: Sequence[Message], known: Sequence[Message]) -> list[Message]:
    """A server that does not know the cursors gives the same page again."""
    ids = {message.id for message in known}
    return [message for message in messages if message.id not in ids]
