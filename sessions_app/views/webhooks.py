"""Where Browser Use says that something happened.  Believed by its signature; what it says is then read, not taken."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

import redis
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sessions_app.access import webhooks as record
from sessions_app.live import seen, wake
from sessions_app.models import Account
from sessions_app.upstream import webhooks
from sessions_app.upstream.webhooks import News, WebhookRefused

log = logging.getLogger(__name__)

REMEMBERED_S = 600
"""Twice the tolerated age: what is forgotten is too old to be accepted again."""


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def browser_use(request: HttpRequest, slug: str) -> JsonResponse:
    """200 for what was understood, also the second time; 401, 400, 413 with why not; 503: send it again."""
    account = Account.objects.filter(slug=slug).first()
    if account is None:
        return JsonResponse({"detail": "There is no such account here."}, status=404)
    try:
        news = _news(request, account)
    except WebhookRefused as refusal:
        _note(record.refused, account, refusal.words)
        return JsonResponse({"detail": refusal.words}, status=refusal.status)
    return _take(account, news, _mark(request, account))


def _news(request: HttpRequest, account: Account) -> News:
    """Raises WebhookRefused.  A body that says it is too large is not even read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length) > webhooks.LARGEST:
        raise webhooks.too_large()
    timestamp, signature = _headers(request)
    body = request.read(webhooks.LARGEST + 1)
    return webhooks.read(account.webhook_secret, timestamp, signature, body, time.time())


def _headers(request: HttpRequest) -> tuple[str, str]:
    return (
        request.headers.get(webhooks.TIMESTAMP_HEADER, "").strip(),
        request.headers.get(webhooks.SIGNATURE_HEADER, "").strip(),
    )


def _mark(request: HttpRequest, account: Account) -> str:
    """Endpoint, timestamp and signature: the vendor gives no event id."""
    return ":".join(("webhook", str(account.pk), *_headers(request)))


def _take(account: Account, news: News, mark: str) -> JsonResponse:
    """Woken first and marked then: a crash in between repeats a read, the other way round would lose one."""
    try:
        if seen.was_seen(mark):
            return JsonResponse({"detail": "Known already."})
        if news.session is not None and account.is_active:
            wake.session(account.pk, news.session)
        is_first = seen.note(mark, REMEMBERED_S)
    except redis.RedisError as error:
        log.warning("webhook of %s: Redis is away (%s)", account.slug, type(error).__name__)
        return JsonResponse({"detail": "Not now: send it again."}, status=503, headers={"Retry-After": "5"})
    if is_first:
        _note(record.arrived, account, news.kind)
    return JsonResponse({"detail": "Taken." if account.is_active else "Taken; the account is paused."})


def _note(write: Callable[[Account, str, datetime], None], account: Account, words: str) -> None:
    """For the settings page only: the answer is the same whatever comes of this."""
    try:
        write(account, words, timezone.now())
    except DatabaseError as error:
        log.warning("webhook of %s: cannot be noted (%s)", account.slug, type(error).__name__)
