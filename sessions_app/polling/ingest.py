"""One batch of answers in, one transaction.  Every answer about a session, whoever asked, comes through here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from sessions_app.live import publish
from sessions_app.models import Account, AgentSession
from sessions_app.polling import lookup, records, writer
from sessions_app.polling.lookup import Locked
from sessions_app.polling.records import Same, Written, recordings_digest
from sessions_app.rules.changes import Change, first_sight, is_late, next_sight
from sessions_app.types import Answer

ATTEMPTS = 3
"""Somebody else may insert the same new sessions at the same time; then they are known, and updated."""


class Applied(NamedTuple):
    """Which sessions an answer changed, by our ids.  `ended` are those among `changed` that ended now."""

    changed: tuple[int, ...]
    new: tuple[int, ...]
    ended: tuple[int, ...]


NOTHING = Applied((), (), ())


class _Plan(NamedTuple):
    """What a batch comes to."""

    new: list[tuple[Answer, Change]]
    changed: list[Written]
    same: list[Same]
    confirmed: list[tuple[datetime, datetime | None, int]]
    moved: list[int]


def apply_answers(account: Account, answers: Sequence[Answer]) -> Applied:
    """Write what `answers` change: sessions, details, history and bookings together, and tell the pages on commit.

    Late, repeated and out-of-order answers change nothing.  Two workers with the same answer write it once.
    """
    latest = {answer.session.uuid: answer for answer in sorted(answers, key=lambda a: a.read_at)}
    if not latest:
        return NOTHING
    for _ in range(ATTEMPTS - 1):
        try:
            return _apply(account, latest)
        except IntegrityError:
            continue
    return _apply(account, latest)


def _apply(account: Account, latest: dict[UUID, Answer]) -> Applied:
    with transaction.atomic():
        plan = _plan(account, latest)
        born = _insert(account, plan.new)
        with writer.without_waiting():
            _update(plan.changed)
            writer.update(AgentSession, ("observed_at", "updated_at"), plan.confirmed)
            records.write(born, plan.changed)
            recorded = records.write_recordings(plan.same)
        others = {*recorded, *_move(account, plan.moved)}
        _touch(others, latest)
        applied = Applied(
            tuple(w.session_id for w in plan.changed) + tuple(sorted(others)),
            tuple(w.session_id for w in born),
            tuple(w.session_id for w in plan.changed if w.change.ended),
        )
        if applied.new or applied.changed:
            publish.changed_on_commit(account.pk, (*applied.new, *applied.changed), new=applied.new)
    return applied


def _plan(account: Account, latest: dict[UUID, Answer]) -> _Plan:
    uuids = sorted(latest)  # everybody inserts in the same order, so that nobody waits in a circle
    stored = lookup.locked(uuids)
    plan = _Plan([], [], [], [], [])
    for uuid in uuids:
        answer, before = latest[uuid], stored.get(uuid)
        if before is None:
            change = first_sight(answer.session, answer.read_at)
            plan.new.append((answer, change))
            continue
        known = before.known
        if answer.session.digest == known.digest and not before.troubled:
            _plan_same(plan, before, answer)
        elif not _is_late(before, answer):
            change = next_sight(known, answer.session, answer.read_at)
            plan.changed.append(
                Written(known.id, answer, change, before.live_url_digest, before.recording_urls_digest)
            )
        if before.account_id != account.pk:
            plan.moved.append(known.id)
    return plan


def _plan_same(plan: _Plan, before: Locked, answer: Answer) -> None:
    """Nothing new but perhaps recordings, or a later `updatedAt`; a late one has nothing to say at all.

    What counts is noted as the newest look: an answer from before it may be on its way, and must be late then.
    """
    known = before.known
    if answer.read_at <= known.observed_at:
        return
    films = recordings_digest(answer.session) not in (0, before.recording_urls_digest)
    if films:
        plan.same.append(Same(known.id, answer, before.recording_urls_digest))
    said = max(filter(None, (answer.session.updated_at, known.updated_at)), default=None)
    if films or said != known.updated_at:
        plan.confirmed.append((answer.read_at, said, known.id))


def _is_late(before: Locked, answer: Answer) -> bool:
    """Older than what we know, or than a 404 that came after it: what is gone does not come back by an old answer."""
    if before.denied_at and answer.read_at <= before.denied_at:
        return True
    return is_late(before.known, answer.session, answer.read_at)


def _insert(account: Account, new: list[tuple[Answer, Change]]) -> list[Written]:
    if not new:
        return []
    writer.insert(AgentSession, [{"account": account.pk} | change.columns for _, change in new])
    ids = lookup.ids([answer.session.uuid for answer, _ in new])
    return [Written(ids[answer.session.uuid], answer, change, 0, 0) for answer, change in new]


def _update(changed: list[Written]) -> None:
    if changed:
        names = tuple(changed[0].change.columns)
        rows: Iterable[Sequence[Any]] = ([*w.change.columns.values(), w.session_id] for w in changed)
        writer.update(AgentSession, names, rows)


def _move(account: Account, ids: list[int]) -> list[int]:
    """Take over sessions of an account that rests: the same project, reached by another address or key."""
    if not ids:
        return []
    resting = AgentSession.objects.filter(pk__in=ids, account__is_active=False)
    found = list(resting.values_list("pk", flat=True))
    AgentSession.objects.filter(pk__in=found).update(account=account)
    return found


def _touch(ids: set[int], latest: dict[UUID, Answer]) -> None:
    """Sessions that show something new without a new digest."""
    if ids:
        now: datetime = max(answer.read_at for answer in latest.values())
        AgentSession.objects.filter(pk__in=ids).update_shown(now)
