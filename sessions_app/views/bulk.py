"""Stopping many: from a selection or a view to a frozen list, its preview, and its report."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.access.roles import sight_of
from sessions_app.costs.question import zone_of
from sessions_app.models import AgentSession, BulkStop
from sessions_app.queries import bulk as record
from sessions_app.queries import bulk_report, floor, history
from sessions_app.queries.question import REASONS
from sessions_app.stopping import bulk, executor
from sessions_app.stopping.permission import may_stop, may_stop_everything
from sessions_app.types import Strategy
from sessions_app.views.stops import Request, reason_of

NOBODY = (
    "Nothing was chosen, so nothing will be stopped. Tick sessions first, or widen what the view matches."
)
NO_RIGHT = "This is for people who may stop tasks or end sessions."
NOT_EVERYTHING = "Stopping everything is for people who may end sessions and change settings."


@never_cache
@require_POST
def begin(request: Request) -> HttpResponse:
    """Freeze what was chosen, and show the preview.  Nothing is stopped yet.

    `session` (ids, repeated or in one field), or `match` (a view's query) with `view` live or sessions, or
    `retry` (a bulk's number), or `everything`.
    """
    if not _strategies(request):
        raise PermissionDenied(NO_RIGHT)
    everything, retry_of = "everything" in request.POST, _retried(request)
    if everything and not may_stop_everything(request.user):
        raise PermissionDenied(NOT_EVERYTHING)
    chosen = record.choose(*_chosen(request, retry_of), None if everything else settings.BULK_STOP_MOST)
    if not chosen.session_pks:
        messages.warning(request, NOBODY)
        return redirect("stops" if everything or retry_of else "live")
    made = bulk.freeze(
        *chosen[:2],
        request.user,
        timezone.now(),
        left_out=chosen.left_out,
        is_everything=everything,
        retry_of=retry_of,
    )
    return redirect(made)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bulk_stop(request: Request, pk: int) -> HttpResponse:
    """A draft shows its preview, and POST asks for it; what was asked for shows its report."""
    found = get_object_or_404(BulkStop, pk=pk)
    if found.asked_at:
        return _report(request, found)
    if found.made_by_id != request.user.pk:
        raise Http404  # a draft is its maker's alone: nobody confirms a list that somebody else put together
    return _ask(request, found) if request.method == "POST" else _preview(request, found)


def _ask(request: Request, draft: BulkStop) -> HttpResponse:
    word = request.POST.get("strategy", "")
    if word not in _strategies(request):
        raise PermissionDenied(NO_RIGHT)
    preview = record.preview(draft, _strategies(request))
    if wrong := _what_is_missing(request, preview):
        return _preview(request, draft, wrong=wrong, status=422)
    try:
        bulk.ask(draft, Strategy(word), reason_of(request), timezone.now())
    except bulk.AlreadyAsked:
        pass  # the second press of a double click
    executor.nudge()
    return redirect(draft)


def _what_is_missing(request: Request, preview: record.Preview) -> dict[str, str]:
    """Field → what to do about it."""
    wrong = {}
    if not reason_of(request).strip():
        wrong["reason"] = "Say why: a stop of many needs a reason. It stands in the record."
    typed = request.POST.get("typed", "").strip().lower()
    if typed != preview.confirmation:
        wrong["typed"] = f"Type “{preview.confirmation}” to confirm."
    return wrong


def _preview(
    request: Request, draft: BulkStop, wrong: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    preview = record.preview(draft, _strategies(request))
    asked = request.POST.get("strategy") or (draft.retry_of.strategy if draft.retry_of else "")
    context = {
        "preview": preview,
        "wrong": wrong or {},
        "reasons": REASONS,
        "ticked": request.POST.getlist("why"),
        "strategy": asked or preview.options[0].strategy,
    }
    return render(request, "bulk/preview.html", context, status=status)


def _report(request: Request, found: BulkStop) -> HttpResponse:
    """A page, or for htmx the fragment; 204 when the page has this very state already (`seen`)."""
    if request.method == "POST":
        return redirect(found)  # the second press of a double click
    report = bulk_report.report(found)
    if request.htmx and request.GET.get("seen") == report.mark:
        return HttpResponse(status=204)
    context = {"report": report, "may_stop": bool(_strategies(request))}
    return render(request, "bulk/_report.html" if request.htmx else "bulk/report.html", context)


# ---- what was chosen -------------------------------------------------------------------------------


def _chosen(request: Request, retry_of: BulkStop | None) -> tuple[QuerySet[AgentSession], str]:
    """The sessions, and in words where they come from."""
    if retry_of is not None:
        return record.failed_of(retry_of), f"Those of bulk stop #{retry_of.pk} that did not come true"
    if "everything" in request.POST:
        return record.living(), "Everything that lives"
    if "match" in request.POST:
        return _matching(request)
    uuids = _uuids(request.POST)
    return AgentSession.objects.filter(uuid__in=uuids), "Picked by hand"


def _matching(request: Request) -> tuple[QuerySet[AgentSession], str]:
    """Everything alive that the view matches, on all its pages."""
    query = QueryDict(request.POST["match"].removeprefix("?")[:4_000])
    see_costs = sight_of(request.user).see_costs
    if request.POST.get("view") == "sessions":
        zone = zone_of(request.COOKIES.get("tz", ""))
        filtered = history.HistoryFilter.from_query(query, see_costs=see_costs, zone=zone)
        sessions, page = history.matching(filtered).filter(is_live=True), "Sessions"
    else:
        sessions, page = floor.matching(floor.FloorFilter.from_query(query, see_costs=see_costs)), "Live"
    return sessions, f"All on {page} that match: {_in_words(query)}"


def _in_words(query: QueryDict) -> str:
    """`status running, model claude`: the filters, without what only says how they are shown."""
    shown = ("sort", "page", "after", "before", "view", "columns")
    words = [f"{name} {value}" for name, value in query.items() if value and name not in shown]
    return ", ".join(words) or "no filter"


def _uuids(form: QueryDict) -> list[UUID]:
    """All ids in the fields `session`; what is none is nobody's."""
    found = []
    for word in " ".join(form.getlist("session")).split():
        try:
            found.append(UUID(word))
        except ValueError:
            continue
    return found


def _retried(request: Request) -> BulkStop | None:
    number = request.POST.get("retry", "")
    if not number:
        return None
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise Http404
    return get_object_or_404(BulkStop, pk=int(number), asked_at__isnull=False)


def _strategies(request: HttpRequest) -> list[Strategy]:
    """The stops that this person may ask for."""
    return [strategy for strategy in Strategy if may_stop(request.user, strategy)]
