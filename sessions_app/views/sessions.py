"""The history of all sessions."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.access.roles import sight_of
from sessions_app.costs.question import zone_of
from sessions_app.live import tickets
from sessions_app.queries import history, rows


@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Sessions that match the address, newest or dearest first."""
    sight = sight_of(request.user)
    zone = zone_of(request.COOKIES.get("tz", ""))
    chosen = history.HistoryFilter.from_query(request.GET, see_costs=sight.see_costs, zone=zone)
    page = history.page_of(chosen)
    context = {
        "chosen": chosen,
        "page": page,
        "rows": rows.in_order(page.versions, sight),
        "models": [(model, model) for model in history.models()],
        "accounts": history.accounts(),
        "statuses": history.STATUSES,
        "outcomes": history.OUTCOMES,
        "least": request.GET.get("least", "")[:20] if chosen.least_microusd is not None else "",
        "ticket": tickets.make(request.user, page.versions, "session"),
    }
    return render(request, "sessions/sessions.html", context)
