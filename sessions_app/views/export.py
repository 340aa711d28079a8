"""Sessions as files.  Addresses, for people and their programs: those of the page, with `export.csv` in front."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sessions_app.access.roles import sight_of
from sessions_app.costs.question import zone_of
from sessions_app.queries import history, sessions_export
from sessions_app.queries.floor import as_uuid
from sessions_app.queries.sessions_export import Asked

MOST_PICKED = 10_000
NOBODY = UUID(int=0)


@require_http_methods(["GET", "HEAD", "POST"])
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The sessions that match, or those of `session`, for a spreadsheet."""
    return _file(request, sessions_export.as_csv, "csv", "text/csv; charset=utf-8")


@require_http_methods(["GET", "HEAD", "POST"])
def as_json(request: HttpRequest) -> StreamingHttpResponse:
    """The same, for a program."""
    return _file(request, sessions_export.as_json, "json", "application/json")


def _file(
    request: HttpRequest, body: Callable[..., AsyncIterator[bytes]], ending: str, kind: str
) -> StreamingHttpResponse:
    see_costs = sight_of(request.user).see_costs
    name = f"watchfloor-sessions-{timezone.now():%Y-%m-%d}.{ending}"
    return StreamingHttpResponse(
        body(_asked(request, see_costs=see_costs), see_costs=see_costs),
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        },
    )


def _asked(request: HttpRequest, *, see_costs: bool) -> Asked:
    """GET: the filters of the address or the ids in `session`; POST, for many ids: those alone."""
    query = request.POST if request.method == "POST" else request.GET
    zone = zone_of(request.COOKIES.get("tz", ""))
    chosen = history.HistoryFilter.from_query(request.GET, see_costs=see_costs, zone=zone)
    return Asked(chosen, _uuids(query, or_nobody=request.method == "POST" or "session" in request.GET))


def _uuids(form: QueryDict, *, or_nobody: bool) -> tuple[UUID, ...]:
    """The ids in the fields `session`, alone or several in one.  Who names none that is one gets none, not all."""
    words = " ".join(form.getlist("session")).replace(",", " ").split()[:MOST_PICKED]
    found = tuple(uuid for uuid in map(as_uuid, words) if uuid)
    return found or ((NOBODY,) if or_nobody else ())
