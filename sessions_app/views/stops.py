"""Asking for a stop, following it, and the record of all of them."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.middleware import HtmxDetails

from sessions_app.access.roles import sight_of
from sessions_app.models import AgentSession
from sessions_app.queries import bulk_report, stops_export
from sessions_app.queries import stops as record
from sessions_app.queries.question import question
from sessions_app.stopping import executor, work
from sessions_app.stopping.permission import may_stop, may_stop_everything
from sessions_app.stopping.request import Asked, request_stop
from sessions_app.types import Strategy

UNKNOWN_STRATEGY = "Say which stop is meant: strategy=task stops the task, strategy=session ends the session."
NOT_ALLOWED = {
    Strategy.TASK: "Your role does not include stopping tasks.",
    Strategy.SESSION: "Your role does not include ending sessions.",
}


class Request(HttpRequest):
    """As our middleware leaves it: somebody is signed in, and htmx is told from a page."""

    user: User
    htmx: HtmxDetails


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: Request, uuid: UUID) -> HttpResponse:
    """GET asks once, with title, cost and consequence; POST does it, and answers with the receipt."""
    session = get_object_or_404(AgentSession, uuid=uuid)
    asked_for = (request.POST if request.method == "POST" else request.GET).get("strategy", "")
    if asked_for not in set(Strategy):
        return _refuse(request, session, 400, UNKNOWN_STRATEGY)
    strategy = Strategy(asked_for)
    if not may_stop(request.user, strategy):
        return _refuse(request, session, 403, NOT_ALLOWED[strategy])
    return _act(request, session, strategy) if request.method == "POST" else _ask(request, session, strategy)


@never_cache
@require_safe
def stop_receipt(request: Request, pk: int) -> HttpResponse:
    """One receipt: a page, or for htmx the fragment; 204 when the page has this very state already (`seen`)."""
    receipt = record.receipt(pk, timezone.now())
    if receipt is None:
        raise Http404
    if request.htmx and request.GET.get("seen") == receipt.mark:
        return HttpResponse(status=204)
    template = "stops/_receipt.html" if request.htmx else "stops/receipt.html"
    return render(request, template, {"receipt": receipt})


@never_cache
@require_safe
def stops(request: Request) -> HttpResponse:
    """Every stop that was asked for, newest first."""
    chosen = record.StopFilter.from_query(request.GET)
    page = record.stop_page(chosen, timezone.now())
    context: dict[str, object] = {
        "chosen": chosen,
        "page": page,
        "sums": record.stop_sums(chosen),
        "avoided_minutes": record.AVOIDED_MINUTES,
        "states": record.STATE_CHOICES,
    }
    if not chosen.narrows:
        context |= {"bulks": bulk_report.newest(), "may_stop_everything": may_stop_everything(request.user)}
    return render(request, "stops/stops.html", context)


@require_safe
def as_csv(request: Request) -> StreamingHttpResponse:
    """The stops that match, for a spreadsheet."""
    return _file(request, stops_export.as_csv, "csv", "text/csv; charset=utf-8")


@require_safe
def as_json(request: Request) -> StreamingHttpResponse:
    """The stops that match, for a program."""
    return _file(request, stops_export.as_json, "json", "application/json")


def _file(
    request: Request, body: Callable[..., AsyncIterator[bytes]], ending: str, kind: str
) -> StreamingHttpResponse:
    chosen = record.StopFilter.from_query(request.GET)._replace(before=None)
    name = f"watchfloor-stops-{timezone.now():%Y-%m-%d}.{ending}"
    return StreamingHttpResponse(
        body(chosen, see_costs=sight_of(request.user).see_costs),
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        },
    )


def _ask(request: Request, session: AgentSession, strategy: Strategy) -> HttpResponse:
    template = "stops/_question.html" if request.htmx else "stops/question.html"
    return render(request, template, {"question": question(session, strategy)})


def _act(request: Request, session: AgentSession, strategy: Strategy) -> HttpResponse:
    """Written down first, then tried at once; whatever is not done within three seconds, others go on with."""
    escalate = "escalate" in request.POST and may_stop(request.user, Strategy.SESSION)
    asked = request_stop(
        session,
        strategy,
        request.user,
        reason_of(request),
        timezone.now(),
        escalate=escalate and strategy == Strategy.TASK,
    )
    work.try_now(asked.stop)
    executor.nudge()
    if not request.htmx:
        messages.info(request, _said(asked))
        return redirect(session)
    receipt = record.receipt(asked.stop.pk, timezone.now())
    return render(request, "stops/_answer.html", {"receipt": receipt, "joined": asked.joined})


def _refuse(request: Request, session: AgentSession, status: int, words: str) -> HttpResponse:
    template = "stops/_refusal.html" if request.htmx else "stops/refusal.html"
    return render(request, template, {"session": session, "words": words}, status=status)


def reason_of(request: Request) -> str:
    """The chips that were ticked, then the person's own words."""
    said = [*request.POST.getlist("why"), request.POST.get("reason", "").strip()]
    return ", ".join(each for each in said if each)


def _said(asked: Asked) -> str:
    what = asked.stop.get_strategy_display()
    if asked.joined:
        return f"{what}: {asked.stop.requested_by_name} had asked for it already. You follow the same stop."
    return f"{what}: asked for. Its receipt says what came of it."
