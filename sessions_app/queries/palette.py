"""What the palette finds: sessions by their words or id, and saved views by name."""

from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser, User

from sessions_app.models import AgentSession
from sessions_app.queries import saved_views, search

MOST = 8
MANY = 2_000
"""From here on words are common: the newest sessions are then asked one by one, for a list of all would be too long."""
COLUMNS = ("uuid", "title", "task", "status", "is_live", "created_at")


class Found(NamedTuple):
    sessions: list[AgentSession]
    views: list[saved_views.View]


def find(text: str, user: User | AnonymousUser) -> Found:
    """At most MOST of each; of nothing typed, the saved views.  Four queries at most."""
    text = search.clean(text)
    views = [view for view in saved_views.of(user) if text.lower() in view.name.lower()]
    return Found(_sessions(text) if text else [], views[:MOST])


def _sessions(text: str) -> list[AgentSession]:
    """Those that live first, then the newest."""
    sessions = AgentSession.objects.filter(account__is_active=True).only(*COLUMNS)
    alive = list(search.matching(sessions.filter(is_live=True), text).order_by("-created_at", "-id")[:MOST])
    is_common = search.indexed_up_to(text, MANY) >= MANY
    matching = search.matching_one_by_one if is_common else search.matching
    rest = matching(sessions.filter(is_live=False), text).order_by("-created_at", "-id")
    return alive + list(rest[: MOST - len(alive)])
