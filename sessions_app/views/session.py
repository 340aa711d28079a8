"""The page of one session, its panels, its output as a file, and its live view.  control.py: who drives it."""

from uuid import UUID

import redis
from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from sessions_app.access import audit
from sessions_app.access.roles import sight_of
from sessions_app.live import presence, tickets
from sessions_app.models import AgentSession
from sessions_app.polling.clients import client_of
from sessions_app.queries.reply import is_left_out, output_file
from sessions_app.queries.session import SessionPage, detail_of, find, live_view
from sessions_app.upstream.errors import UpstreamError
from sessions_app.upstream.liveview import UNKNOWN, Allowed, look
from sessions_app.upstream.urls import parse

from .asking import asked_by
from .panels import PANELS, changed_panels, panel, panels

_USUAL: dict[str, list[str]] = settings.SECURE_CSP  # type: ignore[assignment]
POLICY = _USUAL | {"connect-src": [*_USUAL["connect-src"], *_USUAL["frame-src"]]}
"""On this page alone: frame.js asks the live view's host whether it is there at all, for a frame does not tell."""
CHANGED = "changed"


@require_safe
@csp_override(POLICY)
def session(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The page; `?panel=<name>` one panel; `?panel=changed&seen=<name>:<tag>…` the panels that are other ones now."""
    found = find(uuid)
    if found is None:
        return render(request, "session/unknown.html", {"uuid": uuid}, status=404)
    _note_presence(request, found)
    page = SessionPage(found, sight_of(request.user), timezone.now(), asked_by(request.GET))
    wanted = request.GET.get("panel", "")
    if wanted == CHANGED:
        return _fragment(changed_panels(page, request.GET.getlist("seen")))
    if wanted in PANELS:
        return _fragment(panel(wanted, page, pinned=wanted in _pinned(page)))
    return _whole(request, page)


def _note_presence(request: HttpRequest, found: AgentSession) -> None:
    """The stream says it every second; here for pages whose stream does not open, and for the very first look."""
    try:
        if request.user.pk:
            presence.note([(found.pk, request.user.pk)])
    except (redis.RedisError, OSError):
        pass  # nobody is counted then


def _pinned(page: SessionPage) -> set[str]:
    """Panels that show an older page, which somebody has chosen."""
    chosen = {
        "timeline": page.asked.before_ms,
        "messages": page.asked.messages.before,
        "film": page.asked.film,
    }
    return {name for name, place in chosen.items() if place is not None}


def _whole(request: HttpRequest, page: SessionPage) -> HttpResponse:
    """The page holds a credential for those who may watch: it is kept nowhere, and its opening is recorded."""
    view = live_view(page.session, page.sight)
    if view.url:
        audit.record(request.user, "live_view.opened", page.session)
    context = {
        "page": page,
        "s": page.session,
        "live": view,
        "panels": panels(page, pinned=_pinned(page)),
        "drives": _drives(request, page),
        "ticket": tickets.make(request.user, [page.session.pk], "session"),
    }
    return _unkept(render(request, "session/detail.html", context))


@require_safe
def session_output(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The output as a file to keep: never shown in the browser, whatever it holds."""
    found = find(uuid)
    try:
        file = _output_of(found) if found else None
    except UpstreamError as error:
        context = {"uuid": uuid, "what": "answer", "words": error.words}
        return render(request, "session/unknown.html", context, status=502)
    if file is None:
        return render(request, "session/unknown.html", {"uuid": uuid, "what": found and "output"}, status=404)
    content, kind = file
    ending = "json" if "json" in kind else "txt"
    headers = {"Content-Disposition": f'attachment; filename="output-{uuid}.{ending}"'}
    return _unkept(HttpResponse(content, content_type=kind, headers=headers))


def _output_of(found: AgentSession) -> tuple[bytes, str] | None:
    """What is kept of it; what was too large to keep is asked for again, and loses the live view's address on the way."""
    detail = detail_of(found)
    if not is_left_out(detail.raw):
        return output_file(detail.raw)
    file = output_file(client_of(found.account).whole_reply(found.uuid))
    if file is None or not detail.live_url:
        return file
    return file[0].replace(detail.live_url.encode(), b"(not kept)"), file[1]


@never_cache
@permission_required("sessions_app.watch_live", raise_exception=True)
def live(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The frame with the live view as it is now: for the reload button, and when a view has come to be."""
    found = find(uuid)
    if found is None:
        return render(request, "session/unknown.html", {"uuid": uuid}, status=404)
    view = live_view(found, sight_of(request.user))
    if view.url:
        audit.record(request.user, "live_view.opened", found)
    return _unkept(render(request, "session/_frame.html", {"s": found, "live": view}))


@require_safe
@permission_required("sessions_app.watch_live", raise_exception=True)
def live_look(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """`state` and `why` of the live view in a frame on `?page=<origin>`, as JSON: the browser tells its page neither."""
    page = parse(request.GET.get("page", ""))
    if page is None:
        return HttpResponseBadRequest(
            "page is the origin of the page that has the frame: https://floor.example"
        )
    found = find(uuid)
    url = live_view(found, sight_of(request.user)).url if found else ""
    allowed = Allowed(tuple(settings.LIVE_VIEW_ORIGINS), settings.UPSTREAM_IS_LOOPBACK)
    seen = look(url, page, allowed, settings.UPSTREAM_PROXY) if url else UNKNOWN
    return _unkept(JsonResponse(seen._asdict()))


def _drives(request: HttpRequest, page: SessionPage) -> bool:
    return bool(page.sight.take_control and page.driver and page.driver.user_id == request.user.pk)


def _fragment(html: str) -> HttpResponse:
    return _unkept(HttpResponse(html, status=200 if html else 204))


def _unkept(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, no_store=True, private=True)
    return response
