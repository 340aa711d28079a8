"""The part of the palette that is looked up: a fragment of options for its list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from sessions_app.queries.palette import find


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """`?q=` → templates/_found.html: what static/js/palette.js puts below pages and actions."""
    found = find(request.GET.get("q", ""), request.user)
    response = render(request, "_found.html", {"found": found})
    patch_cache_control(response, no_store=True, private=True)
    return response
