"""The rows of a page: their HTML, the ticket to hear of them, and those that a tab still shows when it fetches itself.

A tab that cannot be pushed to fetches its address every few seconds, and says in a header which rows it shows.  Some are
no longer part of that page: without them it would keep their last status for ever.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from sessions_app.live import frames, tickets
from sessions_app.queries import rows
from sessions_app.types import Sight

HEADER = "X-Shown"


def shown(
    request: HttpRequest, page: tickets.Page, versions: Mapping[int, int], sight: Sight, query: str = ""
) -> dict[str, Any]:
    """For the template, of sessions id → version: `rows` in that order, `ticket`, `left` (rows that the tab shows and
    this page does not) and `gone` (UUIDs of those among them that have no place on such a page any more)."""
    left = rows.rendered(_missing(request, versions), sight)
    return {
        "rows": rows.in_order(versions, sight),
        "ticket": tickets.make(request.user, [*versions, *left], page, query),
        "left": rows.html_of(left.values()),
        "gone": [str(row.uuid) for row in left.values() if frames.leaves(row, page)],
    }


def _missing(request: HttpRequest, versions: Mapping[int, int]) -> list[int]:
    """By the ticket that the tab shows; it is worth nothing to anybody but who it was made for."""
    try:
        ticket = tickets.read(request.headers.get(HEADER, ""))
    except tickets.BadTicket:
        return []
    return (
        [pk for pk in ticket.session_ids if pk not in versions] if ticket.user_id == request.user.pk else []
    )
