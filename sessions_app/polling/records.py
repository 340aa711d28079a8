"""What is written beside a session's row: the reply itself, its history, its bookings."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import xxhash

from sessions_app.models import CostHour, SessionDetail, Snapshot, Step
from sessions_app.polling import words, writer
from sessions_app.rules.changes import Change
from sessions_app.rules.history import status_code, to_ms
from sessions_app.types import Answer, SessionData, Status

SNAPSHOT = ("session", "at_ms", "status_code", "step_count", "llm_cost_microusd", "proxy_cost_microusd",
            "browser_cost_microusd", "total_cost_microusd", "tokens_in", "tokens_out")  # fmt: skip
STEP = ("session", "number", "at_ms", "text")
COST = ("llm_microusd", "proxy_microusd", "browser_microusd", "total_microusd", "idle_microusd")
RAW = ("raw", "raw_bytes")
LIVE_URL = ("live_url", "live_url_digest")
RECORDINGS = ("recording_urls", "recording_urls_digest")
DETAIL = ("session", *RAW, *LIVE_URL, *RECORDINGS)


class Written(NamedTuple):
    """An answer that changed something, the row that it changed, and the digests of the addresses stored there."""

    session_id: int
    answer: Answer
    change: Change
    live_url_digest: int
    recording_urls_digest: int


class Same(NamedTuple):
    """An answer that tells nothing new, unless it has recordings that we don't know."""

    session_id: int
    answer: Answer
    recording_urls_digest: int


def write(born: list[Written], changed: list[Written]) -> None:
    """Details, snapshots, steps and bookings of what has just been written to the sessions themselves."""
    written = [*born, *changed]
    writer.upsert(SessionDetail, DETAIL, [_detail(w) for w in born], unique=DETAIL[:1], replace=DETAIL[1:])
    _update_details(changed)
    snapshots = [_snapshot(w) for w in written if w.change.snapshot]
    writer.upsert(Snapshot, SNAPSHOT, snapshots, unique=SNAPSHOT[:2], replace=SNAPSHOT[2:])
    steps = [
        (w.session_id, w.answer.session.step_count, to_ms(w.answer.read_at), w.change.columns["last_step"])
        for w in written
        if w.change.step
    ]
    writer.upsert(Step, STEP, steps, unique=STEP[:2], replace=("text",))
    book([(w.session_id, *w.change.spend) for w in written if w.change.spend])
    words.index([w.session_id for w in born] + [w.session_id for w in changed if _may_say_more(w)])


def book(spends: Iterable[tuple[int, ...]]) -> None:
    """Add (session, hour, *COST) to what is booked already."""
    writer.upsert(CostHour, ("session", "hour", *COST), spends, unique=("session", "hour"), add=COST)


def _may_say_more(w: Written) -> bool:
    """Title and output come with a status; what is said in between is a step, and those are not indexed."""
    columns = w.change.columns
    return columns["status"] != Status.RUNNING or columns["status_since"] == w.answer.read_at


def write_recordings(same: list[Same]) -> list[int]:
    """Recordings in answers that say nothing else new: only single reads tell of them.  Returns whose were new."""
    rows = [
        ("\n".join(one.answer.session.recording_urls), digest, one.session_id)
        for one in same
        if (digest := recordings_digest(one.answer.session)) not in (0, one.recording_urls_digest)
    ]
    writer.update(SessionDetail, RECORDINGS, rows)
    return [row[-1] for row in rows]


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


def _update_details(changed: list[Written]) -> None:
    """Raw replies always; addresses only where they are other ones, for encrypting one costs more than the rest.

    Recordings that a reply doesn't mention stay: lists never tell of them.
    """
    writer.update(SessionDetail, RAW, [(*_raw(w.answer.session), w.session_id) for w in changed])
    lives = [
        (live_url_of(w.answer.session), digest, w.session_id)
        for w in changed
        if (digest := live_url_digest(w.answer.session)) != w.live_url_digest
    ]
    writer.update(SessionDetail, LIVE_URL, lives)
    write_recordings([Same(w.session_id, w.answer, w.recording_urls_digest) for w in changed])


def _raw(seen: SessionData) -> tuple[str, int]:
    return seen.raw.decode("utf-8", "replace"), len(seen.raw)


def _detail(w: Written) -> tuple[Any, ...]:
    seen = w.answer.session
    lives = (live_url_of(seen), live_url_digest(seen))
    return (w.session_id, *_raw(seen), *lives, "\n".join(seen.recording_urls), recordings_digest(seen))
