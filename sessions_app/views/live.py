"""The live floor, as a list or as a wall; tv.py: on a screen at the wall."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from sessions_app.access.roles import sight_of
from sessions_app.queries import floor
from sessions_app.queries.recent import recent

from .session import POLICY
from .shown import shown
from .tv import tv

VIEWS = ("list", "wall")
SIZES = (("s", "Small"), ("m", "Medium"), ("l", "Large"))
REMEMBER_S = 365 * 24 * 3600


@require_safe
@csp_override(POLICY)
def live(request: HttpRequest) -> HttpResponse:
    """What lives, filtered and sorted as the address says.  The view is remembered."""
    if request.GET.get("view") == "tv":
        return tv(request)
    sight = sight_of(request.user)
    chosen = floor.FloorFilter.from_query(request.GET, see_costs=sight.see_costs)
    page = floor.page_of(chosen)
    view = _view(request)
    context = {
        "chosen": chosen,
        "page": page,
        "choices": recent("choices", floor.choices),
        "statuses": floor.STATUSES,
        "orders": floor.orders(see_costs=sight.see_costs),
        "view": view,
        "sizes": SIZES,
        "size": _size(request),
        "base_url": settings.BROWSER_USE_BASE_URL,
        **shown(request, "live", page.versions, sight, chosen.query),
    }
    response = render(request, "live/live.html", context)
    if request.GET.get("view") in VIEWS:
        response.set_cookie("view", view, max_age=REMEMBER_S, samesite="Lax")
    return response


def _view(request: HttpRequest) -> str:
    asked = request.GET.get("view") or request.COOKIES.get("view", "")
    return asked if asked in VIEWS else VIEWS[0]


def _size(request: HttpRequest) -> str:
    asked = request.COOKIES.get("tile", "")
    return asked if asked in dict(SIZES) else "m"
