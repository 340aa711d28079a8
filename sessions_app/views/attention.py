"""The queue of what needs a person, worst first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.access.roles import sight_of
from sessions_app.live import tickets
from sessions_app.queries import floor, rows


@require_safe
def attention(request: HttpRequest) -> HttpResponse:
    """Every session that needs attention, with why, since when, and what to do."""
    sight = sight_of(request.user)
    chosen = floor.FloorFilter.from_query(request.GET, see_costs=sight.see_costs)
    page = floor.page_of(floor.FloorFilter(attention=True, page=chosen.page))
    context = {
        "page": page,
        "rows": rows.in_order(page.versions, sight),
        "ticket": tickets.make(request.user, page.versions, "attention"),
    }
    return render(request, "attention/attention.html", context)
