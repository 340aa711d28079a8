"""A ticket: what a page may hear of, signed into the page, so that opening a stream costs no query for rows.

It is no credential: the stream also wants the signed-in browser that the page was made for (`hub`).
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple, get_args

from django.contrib.auth.models import AnonymousUser, User
from django.core import signing

Page = Literal["live", "session", "attention", "list"]
PAGES = frozenset(get_args(Page))
MAX_AGE = timedelta(hours=12)
MAX_SESSIONS = 1000  # nobody looks at more rows, and an address has its limits
SALT = "sessions_app.live.tickets"


class Ticket(NamedTuple):
    user_id: int
    session_ids: tuple[int, ...]
    """Our ids, ascending: the rows on the page."""
    page: str
    """Kind of page: `live` also hears of new sessions, `live` and `attention` of those that left the floor; on
    `session` somebody has that one session open, `list` is any other list."""
    made_at: datetime
    """When the page was rendered: what changed since then, it has not."""
    query: str = ""
    """How the page is filtered, as its address says it: new sessions are told of only if they match."""


class BadTicket(Exception):
    """Not ours, altered or too old.  The page must be fetched again."""


def make(user: User | AnonymousUser, session_ids: Iterable[int], page: Page, query: str = "") -> str:
    """The text for `data-stream-ticket`: good for 12 hours, for this person's browsers only."""
    ids = sorted(set(session_ids))[-MAX_SESSIONS:]
    steps = [after - before for before, after in pairwise([0, *ids])]  # small numbers: a short address
    body = {"u": user.pk, "s": steps, "p": page, "t": int(time.time() * 1000)} | (
        {"q": query} if query else {}
    )
    return signing.dumps(body, salt=SALT, compress=True)


def read(text: str) -> Ticket:
    """Raises BadTicket."""
    try:
        body = signing.loads(text, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError) as error:
        raise BadTicket(type(error).__name__) from None
    made_at = datetime.fromtimestamp(body["t"] / 1000, UTC)
    return Ticket(body["u"], tuple(accumulate(body["s"])), body["p"], made_at, body.get("q", ""))
