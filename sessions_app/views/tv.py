"""The wall screen: few large tiles, read from across a room, that nobody touches for hours."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sessions_app.access.roles import sight_of
from sessions_app.queries import floor
from sessions_app.types import Sight
from sessions_app.views.shown import shown

TURN_S = 20
MOST_PAGES = 10
"""Of ten thousand sessions the first 120 are shown: what needs attention comes round within minutes, not hours."""


def tv(request: HttpRequest) -> HttpResponse:
    """A page of tiles.  Everybody in the room reads it, so it offers no act, holds no frame and no form."""
    sees_costs = sight_of(request.user).see_costs
    chosen = floor.FloorFilter.from_query(request.GET, see_costs=sees_costs)
    page = floor.page_of(chosen._replace(page=min(chosen.page, MOST_PAGES)), floor.SCREEN)
    pages = min(page.pages, MOST_PAGES)
    context = {
        "page": page,
        "pages": pages,
        "after": page.page % pages + 1,
        "before": (page.page - 2) % pages + 1,
        "shown": min(page.total, MOST_PAGES * floor.SCREEN),
        "chosen": chosen,
        "turn_s": TURN_S,
        **shown(request, "live", page.versions, Sight(see_costs=sees_costs), chosen.query),
    }
    return render(request, "live/tv.html", context)
