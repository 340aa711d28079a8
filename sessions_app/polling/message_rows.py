"""Messages as they are stored: cut, each once, and not endlessly many."""

from collections.abc import Sequence
from datetime import datetime

import xxhash
from django.conf import settings
from django.db import transaction

from sessions_app.live import publish
from sessions_app.models import AgentSession, Message, MessageLog
from sessions_app.polling import words
from sessions_app.rules import messages as rules
from sessions_app.rules.history import to_ms
from sessions_app.upstream import records
from sessions_app.upstream.addresses import without_openers

LONGEST_ID = 64
NOTHING_YET_S = 30.0
"""A living session without a task is asked again after that, then after twice as long, and so on."""
LARGEST_MS = 253_402_300_799_000


def store(
    session: AgentSession, log: MessageLog, found: Sequence[records.Message], now: datetime, *, more: bool
) -> int:
    """Those that are new, the task if it was among them, and how far the log was read; one transaction.

    Returns how many were new.  Repeated ones change nothing, whoever reads them; a page with nothing new is the
    end, whatever the server says of `more`.
    """
    with transaction.atomic():
        new = _new(session, found, now)
        Message.objects.bulk_create(new, ignore_conflicts=True)
        first = log.read_at is None
        log.cursor, log.dropped = _cursor(found) or log.cursor, log.dropped + _trim(session, len(new))
        log.read_at, log.due_at, log.is_whole = now, None, not (more and new)
        log.failures, log.error_kind, log.error = 0, "", ""
        log.save()
        told = _take_task(session, found, now)
        if (new or first) and not told:
            _show(session, now)
    return len(new)


def store_task(session: AgentSession, found: Sequence[records.Message], now: datetime) -> None:
    """The task alone, if it is there.  An ended session without one is not asked again, a living one later."""
    log = MessageLog.objects.get(pk=session.pk)
    log.due_at, log.error_kind, log.error = None, "", ""
    with transaction.atomic():
        if not _take_task(session, found, now):
            log.failures += 1
            log.due_at = now + rules.wait_after(log.failures, NOTHING_YET_S)
            if not session.is_live:
                AgentSession.objects.filter(pk=session.pk).update(task_wanted=False)
        log.save()


def _take_task(session: AgentSession, found: Sequence[records.Message], now: datetime) -> bool:
    """The first thing that somebody said becomes the session's task, once.  In a transaction."""
    text = next((one.text for one in found if _tells_the_task(one)), "").strip()
    if not text or session.task:
        return False
    task = _cut(without_openers(text, settings.LIVE_VIEW_ORIGINS), rules.LONGEST_TASK)
    if AgentSession.objects.filter(pk=session.pk, task="").update(task=task, task_wanted=False):
        session.task = task
        words.index([session.pk])
        _show(session, now)
    return True


def _tells_the_task(one: records.Message) -> bool:
    return rules.is_of_a_person(one.kind, one.role) and not one.hidden and bool(one.text.strip())


def _show(session: AgentSession, now: datetime) -> None:
    """Pages that show the session fetch what is new."""
    AgentSession.objects.filter(pk=session.pk).update_shown(now)
    publish.changed_on_commit(session.account_id, [session.pk])


def _new(session: AgentSession, found: Sequence[records.Message], now: datetime) -> list[Message]:
    rows = {row.vendor_id: row for row in (_row(session, one, now) for one in found)}
    known = Message.objects.filter(session_id=session.pk, vendor_id__in=list(rows))
    for vendor_id in known.values_list("vendor_id", flat=True):
        del rows[vendor_id]
    return list(rows.values())


def _row(session: AgentSession, one: records.Message, now: datetime) -> Message:
    origins = settings.LIVE_VIEW_ORIGINS
    at_ms = to_ms(one.created_at or now)
    return Message(
        session_id=session.pk,
        vendor_id=_id_of(one),
        at_ms=min(max(at_ms, 0), LARGEST_MS),
        role=one.role[:32],
        kind=one.kind[:64],
        summary=_cut(without_openers(one.summary, origins), rules.LONGEST_SUMMARY),
        text=_cut(without_openers(one.text, origins), rules.longest_of(one.kind)),
        characters=min(one.characters, 2**31 - 1),
        is_error=rules.is_error(one.kind),
        is_hidden=one.hidden,
    )


def _id_of(one: records.Message) -> str:
    """Upstream's; of one that has none, or an endless one, something that is the same each time."""
    if 0 < len(one.id) <= LONGEST_ID:
        return one.id
    said = "\0".join((one.id, one.kind, one.role, str(one.created_at), one.summary, one.text))
    return f"#{xxhash.xxh3_128_hexdigest(said.encode('utf-8', 'replace'))}"


def _cursor(found: Sequence[records.Message]) -> str:
    """The last id that upstream will know."""
    return next((one.id for one in reversed(found) if 0 < len(one.id) <= LONGEST_ID), "")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _trim(session: AgentSession, added: int) -> int:
    """How many of the oldest were dropped."""
    mine = Message.objects.filter(session_id=session.pk)
    if not added or mine.count() <= rules.TRIMMED_AT:
        return 0
    kept = mine.order_by("-at_ms", "-pk").values_list("pk", flat=True)[: rules.KEPT_PER_SESSION]
    dropped, _ = mine.exclude(pk__in=list(kept)).delete()
    return dropped
