"""One batch of answers in, one transaction.  Every answer about a session, whoever asked, comes through here."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import xxhash
from django.db import IntegrityError, transaction

from sessions_app.live import publish
from sessions_app.models import Account, AgentSession, CostHour, SessionDetail, Snapshot, Step
from sessions_app.polling import writer
from sessions_app.rules.changes import Change, Known, first_sight, is_late, next_sight
from sessions_app.rules.history import status_code, to_ms
from sessions_app.types import Answer

SNAPSHOT = ("session", "at_ms", "status_code", "step_count", "llm_cost_microusd", "proxy_cost_microusd",
            "browser_cost_microusd", "total_cost_microusd", "tokens_in", "tokens_out")  # fmt: skip
DETAIL = ("session", "raw", "raw_bytes", "live_url", "live_url_digest", "recording_urls")
STEP = ("session", "number", "at_ms", "text")
COST = ("llm_microusd", "proxy_microusd", "browser_microusd", "total_microusd")


class Applied(NamedTuple):
    """Which sessions an answer changed, by our ids."""

    changed: tuple[int, ...]
    new: tuple[int, ...]
    ended: tuple[int, ...]


class _Written(NamedTuple):
    session_id: int
    answer: Answer
    change: Change


def apply_answers(account: Account, answers: Sequence[Answer]) -> Applied:
    """Write what `answers` change: sessions, details, history and bookings together, and tell the pages on commit.

    Late, repeated and out-of-order answers change nothing.  Two workers with the same answer write it once.
    """
    latest = {answer.session.uuid: answer for answer in sorted(answers, key=lambda a: a.read_at)}
    if not latest:
        return Applied((), (), ())
    try:
        return _apply(account, latest)
    except IntegrityError:
        # Somebody else has just inserted one of our new sessions: now it is known, so this is an update.
        return _apply(account, latest)


def _apply(account: Account, latest: dict[UUID, Answer]) -> Applied:
    with transaction.atomic():
        known = _known(latest)
        new, changed = [], []
        for uuid in sorted(latest):  # everybody locks and inserts in the same order
            answer, before = latest[uuid], known.get(uuid)
            if before is None:
                new.append((answer, first_sight(answer.session, answer.read_at)))
            elif answer.session.digest != before.digest and not is_late(
                before, answer.session, answer.read_at
            ):
                change = next_sight(before, answer.session, answer.read_at)
                changed.append(_Written(before.id, answer, change))
        born = _insert(account, new)
        _update(changed)
        _write_history([*born, *changed])
        applied = Applied(
            tuple(w.session_id for w in changed),
            tuple(w.session_id for w in born),
            tuple(w.session_id for w in changed if w.change.ended),
        )
        if born or changed:
            publish.changed_on_commit(account.pk, (*applied.new, *applied.changed), new=applied.new)
    return applied


def _known(uuids: Iterable[UUID]) -> dict[UUID, Known]:
    """The stored side of each uuid, locked until the end of the transaction.

    A session that was missing or gone has no digest here: whatever is said of it now is news.
    """
    rows = (
        AgentSession.objects.filter(uuid__in=list(uuids))
        .order_by("pk")
        .select_for_update(of=("self",))
        .values_list(*Known._fields, "missing_since", "gone_at", "unread_since")
    )
    found = {}
    for *values, missing_since, gone_at, unread_since in rows:
        known = Known(*values)
        if missing_since or gone_at or unread_since:
            known = known._replace(digest=0)
        found[known.uuid] = known
    return found


def _insert(account: Account, new: list[tuple[Answer, Change]]) -> list[_Written]:
    rows = AgentSession.objects.bulk_create(
        [AgentSession(account=account, **change.columns) for _, change in new]
    )
    return [_Written(row.pk, answer, change) for row, (answer, change) in zip(rows, new, strict=True)]


def _update(changed: list[_Written]) -> None:
    if changed:
        names = tuple(changed[0].change.columns)
        rows = ([*w.change.columns.values(), w.session_id] for w in changed)
        writer.update(AgentSession, names, rows)


def _write_history(written: list[_Written]) -> None:
    if not written:
        return
    _write_details(written)
    writer.upsert(
        Snapshot, SNAPSHOT, [_snapshot(w) for w in written if w.change.snapshot], unique=("session", "at_ms")
    )
    steps = [
        (w.session_id, w.answer.session.step_count, to_ms(w.answer.read_at), w.change.columns["last_step"])
        for w in written
        if w.change.step
    ]
    writer.upsert(Step, STEP, steps, unique=("session", "number"), replace=("text",))
    spends = [(w.session_id, *w.change.spend) for w in written if w.change.spend]
    writer.upsert(CostHour, ("session", "hour", *COST), spends, unique=("session", "hour"), add=COST)


def _snapshot(w: _Written) -> tuple[Any, ...]:
    c = w.change.columns
    return (
        w.session_id,
        to_ms(w.answer.read_at),
        status_code(str(c["status"])),
        *(c[name] for name in SNAPSHOT[3:]),
    )


def _write_details(written: list[_Written]) -> None:
    """Raw replies always; live URLs only where they are other ones, for encrypting each costs more than the rest."""
    digests = dict(
        SessionDetail.objects.filter(session_id__in=[w.session_id for w in written]).values_list(
            "session_id", "live_url_digest"
        )
    )
    rows = {w.session_id: _detail(w) for w in written}
    same = [row for key, row in rows.items() if digests.get(key) == row[4]]
    other = [row for key, row in rows.items() if digests.get(key) != row[4]]
    writer.upsert(SessionDetail, DETAIL, other, unique=("session",), replace=DETAIL[1:])
    light = [(row[0], row[1], row[2], "", row[4], "") for row in same]
    writer.upsert(SessionDetail, DETAIL, light, unique=("session",), replace=("raw", "raw_bytes"))


def _detail(w: _Written) -> tuple[Any, ...]:
    seen = w.answer.session
    recordings = "\n".join(seen.recording_urls)
    live_url = "" if seen.is_final else (seen.live_url or "")  # a credential is erased at the end
    digest = xxhash.xxh3_64_intdigest(f"{live_url}\n{recordings}".encode("utf-8", "replace")) >> 1
    return (w.session_id, seen.raw.decode("utf-8", "replace"), len(seen.raw), live_url, digest, recordings)
