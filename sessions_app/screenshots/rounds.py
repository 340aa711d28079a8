"""A round of pictures: claim, read each session singly, fetch what its fresh answer names, keep it."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.types import Answer
from sessions_app.upstream.errors import RateLimited, UpstreamError

from . import due, storage
from .capture import fetch_many
from .errors import BadPicture

PAUSE_S = 30
"""For how long an account's pictures wait after "too many requests", if the vendor does not say."""

log = logging.getLogger(__name__)


class Done(NamedTuple):
    """What a round did: pictures claimed, and kept because they were new."""

    tried: int
    kept: int


def take_round(now: datetime | None = None) -> Done:
    """One round, for all accounts.  A broken picture costs its session one attempt and nobody else anything."""
    if not storage.has_room():
        return Done(0, 0)
    claimed = due.claim(now or timezone.now())
    by_account: dict[Account, list[AgentSession]] = defaultdict(list)
    for session in claimed:
        by_account[session.account].append(session)
    kept = sum(
        _of_account(account, sessions) for account, sessions in by_account.items() if not _pauses(account)
    )
    return Done(len(claimed), kept)


def _of_account(account: Account, sessions: Sequence[AgentSession]) -> int:
    answers = client_of(account, "pictures").sessions([session.uuid for session in sessions])
    good = [answer for answer in answers if isinstance(answer, Answer)]
    _pause_if_asked(account, answers)
    apply_answers(account, good)
    named = [
        (session, answer)
        for session, answer in zip(sessions, answers, strict=True)
        if isinstance(answer, Answer) and answer.session.screenshot_url
    ]
    urls = [answer.session.screenshot_url or "" for _, answer in named]
    files = fetch_many(urls, allow_loopback=settings.UPSTREAM_IS_LOOPBACK)
    return sum(_keep(session, answer, file) for (session, answer), file in zip(named, files, strict=True))


def _keep(session: AgentSession, answer: Answer, file: bytes | BadPicture) -> bool:
    try:
        if isinstance(file, BadPicture):
            raise file
        return storage.keep(session, file, step_count=answer.session.step_count, taken_at=answer.read_at)
    except BadPicture as bad:
        log.info("no picture of session %s: %s", session.uuid, bad)
    except (OSError, DatabaseError) as error:
        log.warning("picture of session %s not stored: %s", session.uuid, error)
    return False


def _pause_if_asked(account: Account, answers: Sequence[Answer | UpstreamError]) -> None:
    """Pictures give way first: polls and stops need the rate more."""
    for answer in answers:
        if isinstance(answer, RateLimited):
            cache.set(_pause_key(account), True, answer.retry_after_s or PAUSE_S)


def _pauses(account: Account) -> bool:
    return bool(cache.get(_pause_key(account)))


def _pause_key(account: Account) -> str:
    return f"pictures:pause:{account.pk}"
