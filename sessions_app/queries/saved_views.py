"""Views that somebody saved: their own, and those shared with everybody."""

from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from sessions_app.models import SavedView

MOST = 100
"""Of one person; and of a row of links."""
PAGES = dict(SavedView.PAGES)
_PAGING = ("after", "before", "page")


class View(NamedTuple):
    """A link for a row or a palette.  `owner`: who shared it, "" when it is one's own."""

    pk: int
    name: str
    page: str
    query: str
    address: str
    is_shared: bool
    is_mine: bool
    owner: str


def of(user: User | AnonymousUser, page: str | None = None) -> list[View]:
    """What this person can open on that page (on all pages without one): their own first, then by name.  One query."""
    if not user.is_authenticated:
        return []
    found = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    found = found.filter(page=page) if page else found
    views = [_view(saved, user) for saved in found.order_by("name", "pk")[: 2 * MOST]]
    return sorted(views, key=lambda view: not view.is_mine)


def _view(saved: SavedView, user: User) -> View:
    is_mine = saved.owner_id == user.pk
    return View(
        pk=saved.pk,
        name=saved.name,
        page=saved.page,
        query=saved.query,
        address=f"{reverse(saved.page)}?{saved.query}" if saved.query else reverse(saved.page),
        is_shared=saved.is_shared,
        is_mine=is_mine,
        owner="" if is_mine else saved.owner.get_full_name() or saved.owner.get_username(),
    )


def tidy(text: str) -> str:
    """A query as it is kept: without paging and without what is empty, in one order, so that equal ones are equal."""
    query = QueryDict(text.removeprefix("?")[:4_000].replace("\0", ""))
    kept: Any = QueryDict(mutable=True)
    for name in sorted(query):
        value = (query.get(name) or "").strip()
        if value and name not in _PAGING:
            kept[name] = value
    return str(kept.urlencode())
