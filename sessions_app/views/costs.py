"""What it cost."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions_app.costs import budgets, export, proof
from sessions_app.costs.bookkeeper import opened
from sessions_app.costs.chart import chart, split, table
from sessions_app.costs.course import course
from sessions_app.costs.outlook import before, forecast
from sessions_app.costs.pivot import SIDES, pivot, sides_of
from sessions_app.costs.question import RANGES, CostQuestion, question
from sessions_app.costs.reconcile import reconciliation
from sessions_app.costs.report import Report, report
from sessions_app.costs.spread import spread
from sessions_app.models import CostReport
from sessions_app.queries import pulse
from sessions_app.queries.recent import recent
from sessions_app.views.guards import needs

GROUP_TITLES = {
    "model": "By model",
    "profile": "By profile",
    "workspace": "By workspace",
    "country": "By proxy country",
    "account": "By account",
    "status": "By status",
}


@needs("see_costs")
@require_safe
def costs(request: HttpRequest) -> HttpResponse:
    """Totals, days, groups and sessions of the stretch that the address asks for, all of one moment."""
    now, asked = timezone.now(), _asked(request)
    with opened() as ledger:
        standings = budgets.standings(now, ledger.spent)
        context = _figures(request, asked, now) | _ahead(asked, now, standings)
    return render(request, "costs/costs.html", context)


def _ahead(asked: CostQuestion, now: datetime, standings: list[budgets.Standing]) -> dict[str, Any]:
    expected = forecast(asked, now)
    return {
        "forecast": expected,
        "course": course(asked, now, expected, standings),
        "budgets": standings,
        "pulse": recent("pulse", pulse.take),
    }


def _figures(request: HttpRequest, asked: CostQuestion, now: datetime) -> dict[str, Any]:
    answer = report(asked)
    drawn = chart(answer, now)
    return {
        "asked": asked,
        "report": answer,
        "chart": drawn,
        "ranges": RANGES,
        "split": [one for one in split(answer.total) if one.name != "rest" or _has_rest(answer)],
        "lines": table(answer, drawn),
        "filters": answer.filters,
        "groupings": [
            (GROUP_TITLES[g.facet], g) for g in answer.groups if g.facet != "account" or len(g.groups) > 1
        ],
        "whole_hours": now.astimezone(asked.tz).minute == now.minute,
        "before": before(asked, now),
        "reports": CostReport.objects.filter(owner_id=request.user.pk),
        "proof": proof.last(),
        "reconciled": reconciliation(asked, now),
        "spread": spread(asked),
        "pivot": pivot(asked, sides_of(request.GET)),
        "pivot_sides": SIDES,
        "kept": [pair for pair in request.GET.items() if pair[0] not in ("rows", "columns", "page")],
        "today": now.astimezone(asked.tz).date(),
    }


@needs("see_costs")
@require_safe
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The sessions of the same stretch, for a spreadsheet."""
    return _file(request, export.as_csv, "csv", "text/csv; charset=utf-8")


@needs("see_costs")
@require_safe
def as_json(request: HttpRequest) -> StreamingHttpResponse:
    """The sessions of the same stretch, for a program."""
    return _file(request, export.as_json, "json", "application/json")


def _asked(request: HttpRequest) -> CostQuestion:
    return question(request.GET, request.COOKIES.get("tz", ""), timezone.now())


def _file(
    request: HttpRequest, body: Callable[[CostQuestion], AsyncIterator[bytes]], ending: str, kind: str
) -> StreamingHttpResponse:
    asked = _asked(request)
    stretch = "-to-".join(str(day) for day in (asked.first_day, asked.last_day) if day) or asked.range
    return StreamingHttpResponse(
        body(asked),
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="watchfloor-costs-{stretch}.{ending}"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        },
    )


def _has_rest(answer: Report) -> bool:
    """Whether any total has something beyond its parts: mostly none has, and then nobody needs the column."""
    return any(day.spend.rest for day in answer.days)
