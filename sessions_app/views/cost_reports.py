"""Reports of costs by mail: whoever sees costs may have what they look at sent each Monday."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.access import audit
from sessions_app.costs import weekly
from sessions_app.costs.question import question
from sessions_app.forms import CostReportForm
from sessions_app.models import CostReport
from sessions_app.views.guards import needs


@needs("see_costs")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """One of what the address filters by, in the days of whoever asks for it."""
    now = timezone.now()
    asked = question(request.GET, request.COOKIES.get("tz", ""), now)
    form = CostReportForm(request.POST or None, initial={"to": _person(request).email})
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "asked": asked, "is_set_up": settings.MAIL_IS_SET_UP}
        return render(request, "costs/report.html", context, status=422 if form.is_bound else 200)
    made = CostReport.objects.create(
        owner=_person(request),
        query=weekly.filters_of(asked),
        zone=str(asked.tz),
        made_at=now,
        sent_week=weekly.last_week(str(asked.tz), now),
        **form.cleaned_data,
    )
    audit.record(request.user, "cost_report.added", report=made.name, to=made.to)
    messages.success(request, f"“{made.name}” goes to {made.to} each Monday, from 6 o’clock on.")
    return redirect("costs")


@needs("see_costs")
@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Last week's, now.  What is sent on Monday does not change by it."""
    mine, now = _mine(request, pk), timezone.now()
    try:
        weekly.send(mine, weekly.last_week(mine.zone, now), now)
    except weekly.NotSent as error:
        messages.error(request, f"Not sent. {error}")
    else:
        messages.success(request, f"Last week’s “{mine.name}” is on its way to {mine.to}.")
    return redirect("costs")


@needs("see_costs")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    mine = _mine(request, pk)
    audit.record(request.user, "cost_report.deleted", report=mine.name, to=mine.to)
    mine.delete()
    messages.success(request, f"“{mine.name}” is not sent any more.")
    return redirect("costs")


def _person(request: HttpRequest) -> Any:
    return request.user


def _mine(request: HttpRequest, pk: int) -> CostReport:
    return get_object_or_404(CostReport, pk=pk, owner=request.user)
