"""The queue of what needs a person, worst first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.access.roles import sight_of
from sessions_app.queries import floor
from sessions_app.queries.quiet import quiet
from sessions_app.views.shown import shown


@require_safe
def attention(request: HttpRequest) -> HttpResponse:
    """Every session that needs attention, with why, since when, and what to do; `?part=quiet` what is acknowledged."""
    sight = sight_of(request.user)
    if request.GET.get("part") == "quiet":
        return render(request, "attention/_quiet.html", {"quiet": quiet(), "sight": sight})
    chosen = floor.FloorFilter.from_query(request.GET, see_costs=sight.see_costs)
    page = floor.page_of(floor.FloorFilter(attention=True, page=chosen.page))
    context = {
        "page": page,
        "quiet": quiet(),
        **shown(request, "attention", page.versions, sight),
    }
    return render(request, "attention/attention.html", context)
