"""Which columns somebody wants to see in the list of sessions.  Kept in their browser, in a cookie."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from sessions_app.queries import saved_views

COOKIE, NONE, YEAR_S = "columns", "-", 365 * 24 * 3600
COLUMNS = (
    ("outcome", "Outcome"),
    ("when", "Started"),
    ("took", "Took"),
    ("steps", "Steps"),
    ("cost", "Cost"),
    ("model", "Model"),
    ("place", "Account, profile and workspace"),
)
"""Word → label, in their order.  Session and status stand always."""
USUAL = ("outcome", "when", "took", "steps", "cost", "model")


def shown(request: HttpRequest) -> tuple[str, ...]:
    """The columns of this reader; words that mean nothing are left out."""
    kept = request.COOKIES.get(COOKIE)
    if not kept:
        return USUAL
    asked = kept.split(".")
    return tuple(word for word, _ in COLUMNS if word in asked)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """`column`, repeated, or `usual`; then back to the list with the filters of `query`."""
    back = redirect("sessions")
    if query := saved_views.tidy(request.POST.get("query", "")):
        back["Location"] += f"?{query}"
    if "usual" in request.POST:
        back.delete_cookie(COOKIE, samesite="Lax")
        return back
    asked = request.POST.getlist("column")
    kept = ".".join(word for word, _ in COLUMNS if word in asked)
    back.set_cookie(
        COOKIE, kept or NONE, max_age=YEAR_S, samesite="Lax", secure=request.is_secure(), httponly=True
    )
    return back
