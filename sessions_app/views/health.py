"""For machines: is the process up, does each part answer, what are the numbers?"""

import hmac
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions_app.queries import health
from sessions_app.queries.metrics import exposition

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")
"""With one of these a request comes through a proxy: then the address that we see is the proxy's."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

type View = Callable[[HttpRequest], HttpResponse]


def for_machines(view: View) -> View:
    """Open to this machine, to METRICS_TOKEN (as a bearer token, or as ?token=), and to who may manage."""

    @login_not_required
    @never_cache
    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if _is_local(request) or _has_token(request) or request.user.has_perm("sessions_app.manage"):
            return view(request)
        words = "Ask from this machine, or with METRICS_TOKEN: Authorization: Bearer …\n"
        return HttpResponse(words, status=403, content_type="text/plain; charset=utf-8")

    return guarded


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up.  Open to all: it tells nothing else."""
    return HttpResponse("ok", content_type="text/plain")


@for_machines
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part is fit, else 503 with which one is not."""
    parts = health.parts()
    ready = all(part["ok"] for part in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


@for_machines
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    return HttpResponse(exposition(), content_type=PROMETHEUS)


def _is_local(request: HttpRequest) -> bool:
    if any(header in request.headers for header in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = bearer.strip() if kind.lower() == "bearer" else request.GET.get("token", "")
    expected = settings.METRICS_TOKEN
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
