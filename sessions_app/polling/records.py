"""What is written beside a session's row: the reply itself, its history, its bookings."""

from typing import Any, NamedTuple

import xxhash

from sessions_app.models import CostHour, SessionDetail, Snapshot, Step
from sessions_app.polling import writer
from sessions_app.rules.changes import Change
from sessions_app.rules.history import status_code, to_ms
from sessions_app.types import Answer, SessionData

SNAPSHOT = ("session", "at_ms", "status_code", "step_count", "llm_cost_microusd", "proxy_cost_microusd",
            "browser_cost_microusd", "total_cost_microusd", "tokens_in", "tokens_out")  # fmt: skip
STEP = ("session", "number", "at_ms", "text")
COST = ("llm_microusd", "proxy_microusd", "browser_microusd", "total_microusd")
RAW = ("raw", "raw_bytes")
LIVE_URL = ("live_url", "live_url_digest")
RECORDINGS = ("recording_urls", "recording_urls_digest")
DETAIL = ("session", *RAW, *LIVE_URL, *RECORDINGS)


class Written(NamedTuple):
    """An answer that changed something, and the row that it changed."""

    session_id: int
    answer: Answer
    change: Change


def write(written: list[Written]) -> None:
    """Details, snapshots, steps and bookings of what has just been written to the sessions themselves."""
    if not written:
        return
    _write_details(written)
    snapshots = [_snapshot(w) for w in written if w.change.snapshot]
    writer.upsert(Snapshot, SNAPSHOT, snapshots, unique=SNAPSHOT[:2], replace=SNAPSHOT[2:])
    steps = [
        (w.session_id, w.answer.session.step_count, to_ms(w.answer.read_at), w.change.columns["last_step"])
        for w in written
        if w.change.step
    ]
    writer.upsert(Step, STEP, steps, unique=STEP[:2], replace=("text",))
    spends = [(w.session_id, *w.change.spend) for w in written if w.change.spend]
    writer.upsert(CostHour, ("session", "hour", *COST), spends, unique=("session", "hour"), add=COST)


def write_recordings(same: list[tuple[int, Answer]]) -> list[int]:
    """Recordings in answers that say nothing else new: only single reads tell of them.  Returns whose were new."""
    told = {session_id: answer.session for session_id, answer in same if answer.session.recording_urls}
    if not told:
        return []
    known = _stored_digests(list(told))
    new = {pk: seen for pk, seen in told.items() if known.get(pk, (0, 0))[1] != recordings_digest(seen)}
    rows = [("\n".join(seen.recording_urls), recordings_digest(seen), pk) for pk, seen in new.items()]
    writer.update(SessionDetail, RECORDINGS, rows)
    return list(new)


def live_url_of(seen: SessionData) -> str:
    """A credential: erased at the end of the session, which it would outlive."""
    return "" if seen.is_final else (seen.live_url or "")


def live_url_digest(seen: SessionData) -> int:
    """0 when there is none.  Of the whole address: the vendor tells browsers apart by its query."""
    return _digest(live_url_of(seen))


def recordings_digest(seen: SessionData) -> int:
    """0 when there are none.  Without the queries, which are signed anew at each fetch."""
    return _digest("\n".join(url.partition("?")[0] for url in seen.recording_urls))


def _digest(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace")) >> 1 if text else 0


def _snapshot(w: Written) -> tuple[Any, ...]:
    columns = w.change.columns
    return (
        w.session_id,
        to_ms(w.answer.read_at),
        status_code(str(columns["status"])),
        *(columns[name] for name in SNAPSHOT[3:]),
    )


def _write_details(written: list[Written]) -> None:
    """Raw replies always; addresses only where they are other ones, for encrypting one costs more than the rest.

    Recordings that a reply doesn't mention stay: lists never tell of them.
    """
    stored = _stored_digests([w.session_id for w in written])
    old = [w for w in written if w.session_id in stored]
    fresh = [_detail(w) for w in written if w.session_id not in stored]
    writer.upsert(SessionDetail, DETAIL, fresh, unique=("session",), replace=DETAIL[1:])
    writer.update(SessionDetail, RAW, [(*_raw(w.answer.session), w.session_id) for w in old])
    lives = [
        (live_url_of(w.answer.session), digest, w.session_id)
        for w in old
        if (digest := live_url_digest(w.answer.session)) != stored[w.session_id][0]
    ]
    writer.update(SessionDetail, LIVE_URL, lives)
    films = [
        ("\n".join(w.answer.session.recording_urls), digest, w.session_id)
        for w in old
        if (digest := recordings_digest(w.answer.session)) not in (0, stored[w.session_id][1])
    ]
    writer.update(SessionDetail, RECORDINGS, films)


def _stored_digests(session_ids: list[int]) -> dict[int, tuple[int, int]]:
    rows = SessionDetail.objects.filter(session_id__in=session_ids)
    values = rows.values_list("session_id", "live_url_digest", "recording_urls_digest")
    return {pk: (live, films) for pk, live, films in values}


def _raw(seen: SessionData) -> tuple[str, int]:
    return seen.raw.decode("utf-8", "replace"), len(seen.raw)


def _detail(w: Written) -> tuple[Any, ...]:
    seen = w.answer.session
    lives = (live_url_of(seen), live_url_digest(seen))
    return (w.session_id, *_raw(seen), *lives, "\n".join(seen.recording_urls), recordings_digest(seen))
