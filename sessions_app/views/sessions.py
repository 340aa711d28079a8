"""The history of all sessions."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.access.roles import sight_of
from sessions_app.costs.question import zone_of
from sessions_app.queries import history, saved_views
from sessions_app.queries.history_choices import Chip, chips, choices
from sessions_app.queries.history_filter import NEWEST, OUTCOMES, STATUSES, HistoryFilter
from sessions_app.views import columns
from sessions_app.views.shown import shown

TYPED = ("steps_from", "steps_to", "took_from", "took_to")
TYPED_COSTS = ("least", "most")


@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Sessions that match the address, newest or dearest first."""
    sight = sight_of(request.user)
    zone = zone_of(request.COOKIES.get("tz", ""))
    chosen = HistoryFilter.from_query(request.GET, see_costs=sight.see_costs, zone=zone)
    here = saved_views.tidy(request.GET.urlencode())
    page, offered = history.page_of(chosen), choices(chosen)
    context = {
        "chosen": chosen,
        "page": page,
        "choices": offered,
        "chips": [(chip, _without(request, chip)) for chip in chips(chosen, offered)],
        "cleared": f"{request.path}?sort={chosen.sort}" if chosen.sort != NEWEST else request.path,
        "views": saved_views.of(request.user, "sessions"),
        "here": here,
        "can_save": bool(here) and not chosen.wrong,
        "may_share": request.user.has_perm("sessions_app.manage"),
        "columns": columns.COLUMNS,
        "shown": columns.shown(request),
        "statuses": STATUSES,
        "outcomes": OUTCOMES,
        "typed": _typed(request.GET, TYPED + TYPED_COSTS if sight.see_costs else TYPED),
        **shown(request, "list", page.versions, sight),
    }
    return render(request, "sessions/sessions.html", context)


def _typed(query: QueryDict, names: tuple[str, ...]) -> dict[str, str]:
    """Ranges stand in their fields as they were typed, also when nobody could read them."""
    return {name: query.get(name, "")[:40] for name in names}


def _without(request: HttpRequest, chip: Chip) -> str:
    """The address without this filter, from the first page on."""
    query = request.GET.copy()
    for name in (*chip.params, "after"):
        query.pop(name, None)
    return f"?{query.urlencode()}" if query else request.path
