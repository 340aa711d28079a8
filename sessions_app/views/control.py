"""The wheel of a session's browser: taken, taken over, given back.  Recorded, and seen by all who have it open."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from sessions_app.access import audit
from sessions_app.live import publish
from sessions_app.models import AgentSession
from sessions_app.queries.session import find
from sessions_app.queries.timeline import RELEASED, TAKEN
from sessions_app.queries.wheel import Driver, driver_of

ACTS = {"take": TAKEN, "release": RELEASED}
ENDED, DRIVEN = 409, 423


@require_POST
@permission_required("sessions_app.take_control", raise_exception=True)
def control(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """`action` take or release; whoever takes it from somebody else is asked once (`over` says yes)."""
    found, act = find(uuid), ACTS.get(request.POST.get("action", ""))
    if act is None:
        return HttpResponseBadRequest("action is take or release")
    if found is None:
        return render(request, "session/unknown.html", {"uuid": uuid}, status=404)
    if act == TAKEN and not found.is_live:
        return _ended(request, found)
    driver = driver_of(found, timezone.now())
    if act == TAKEN and _is_another(request, driver) and not request.POST.get("over"):
        return _ask(request, found, driver)
    _note(request, found, act, driver)
    return HttpResponse(status=204) if _is_script(request) else redirect(found)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _is_another(request: HttpRequest, driver: Driver | None) -> bool:
    return driver is not None and driver.user_id != request.user.pk


def _ended(request: HttpRequest, found: AgentSession) -> HttpResponse:
    if _is_script(request):
        return HttpResponse(status=ENDED)
    messages.error(request, "The session has ended: there is nothing left to drive.")
    return redirect(found)


def _ask(request: HttpRequest, found: AgentSession, driver: Driver | None) -> HttpResponse:
    """Two hands on one wheel spoil both people's work, so who wants it sees who has it."""
    template = "session/_take_over.html" if _is_script(request) else "session/take_over.html"
    return render(request, template, {"s": found, "driver": driver}, status=DRIVEN)


def _note(request: HttpRequest, found: AgentSession, act: str, driver: Driver | None) -> None:
    """Audit, version and news in one transaction.  Who does not drive has nothing to release."""
    if act == RELEASED and (driver is None or _is_another(request, driver)):
        return
    with transaction.atomic():
        AgentSession.objects.filter(pk=found.pk).update_shown(timezone.now())
        publish.changed_on_commit(found.account_id, [found.pk])
        taken_from = {"taken_from": driver.name} if driver and _is_another(request, driver) else {}
        audit.record(request.user, act, found, **taken_from)
