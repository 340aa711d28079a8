"""Somebody says that they know what a session needs attention for: until it is over, or for a while."""

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sessions_app.access import audit
from sessions_app.models import AgentSession
from sessions_app.polling import attention
from sessions_app.queries.rows import reasons_of
from sessions_app.queries.session import find
from sessions_app.queries.timeline import ACKNOWLEDGED, SNOOZED, WOKEN
from sessions_app.rules.attention import SNOOZES
from sessions_app.views.stops import Request

WAKE = "wake"
NOTHING = "It needs no attention any more: there is nothing to acknowledge."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("sessions_app.acknowledge", raise_exception=True)
def acknowledge(request: Request, uuid: UUID) -> HttpResponse:
    """GET asks (for browsers without scripts).  POST `for`: empty while it lasts, minutes, or `wake` to take it back."""
    found, asked = find(uuid), request.POST.get("for", "")
    if found is None:
        return render(request, "session/unknown.html", {"uuid": uuid}, status=404)
    if request.method != "POST":
        context = {"s": found, "reasons": reasons_of(found), "snoozes": SNOOZES.items()}
        return render(request, "attention/acknowledge.html", context)
    if asked not in {"", WAKE, *SNOOZES}:
        return HttpResponseBadRequest(f"for is empty, {WAKE}, or minutes: {', '.join(SNOOZES)}")
    return _answer(request, found, _act(request, found, asked))


def _act(request: Request, found: AgentSession, asked: str) -> list[str]:
    """The codes of the reasons that it was about."""
    now = timezone.now()
    until = _until(asked, now)
    with transaction.atomic():
        if asked == WAKE:
            codes = attention.speak_up(found.pk, now)
        else:
            codes = attention.acknowledge(found.pk, request.user.get_username(), now, until)
        if codes:
            action = WOKEN if asked == WAKE else SNOOZED if until else ACKNOWLEDGED
            detail = {"until": until.isoformat()} if until else {}
            audit.record(request.user, action, found, reasons=codes, **detail)
    return codes


def _until(asked: str, now: datetime) -> datetime | None:
    return now + timedelta(minutes=int(asked)) if asked in SNOOZES else None


def _answer(request: Request, found: AgentSession, codes: list[str]) -> HttpResponse:
    if request.htmx:
        return HttpResponse(status=204 if codes else 409)
    if not codes:
        messages.info(request, NOTHING)
    return redirect(found)
