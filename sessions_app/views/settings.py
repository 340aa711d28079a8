"""How reading goes, who may do what, what runs here."""

from django.conf import settings as conf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions_app.queries.settings_page import settings_page
from sessions_app.views.guards import needs


@needs("manage")
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """For whoever keeps the floor running."""
    context = {"page": settings_page(), "data_dir": conf.DATA_DIR, "proxy": bool(conf.UPSTREAM_PROXY)}
    return render(request, "settings/settings.html", context)
