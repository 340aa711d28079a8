"""Every token and every piece, in both themes, as the pages use them.  For who builds the pages, so not for everybody."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from sessions_app.queries import rows, samples
from sessions_app.types import KNOWN_STATUSES, Sight

COLOURS = (
    "bg", "surface", "raised", "sunk", "line", "line-strong", "ink", "ink-2", "ink-3", "accent", "run", "idle", "start",
    "warn", "bad", "part-llm", "part-browser", "part-proxy", "part-rest",
)  # fmt: skip
SIZES = ("s-0", "s-1", "s-2", "s-3", "s-4", "s-5")
THEMES = ("light", "dark")
VIEWS = ("list", "wall", "queue", "dense")


def styleguide(request: HttpRequest) -> HttpResponse:
    """Raises Http404 for people who are no staff, unless DEBUG is on."""
    if not (settings.DEBUG or request.user.is_staff):
        raise Http404
    now = timezone.now()
    context = {
        "themes": [_theme(name) for name in THEMES],
        "colours": COLOURS,
        "sizes": SIZES,
        "statuses": [*sorted(KNOWN_STATUSES), "hibernating"],
        "empties": samples.empties(now),
        "base_url": settings.BROWSER_USE_BASE_URL,
    }
    return render(request, "styleguide.html", context)


def _theme(name: str) -> dict[str, Any]:
    sight = Sight(see_costs=True, stop_task=True, end_session=True)
    now = timezone.now()
    drawn = [
        (view, [rows.draw(session, sight) for session in samples.sessions(now, f"{name}-{view}")])
        for view in VIEWS
    ]
    return {"name": name, "views": drawn}
