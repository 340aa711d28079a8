"""A session's row: rendered once per version and kind of viewer, then kept as bytes.

The page and the live push hand out the same bytes, so a thousand viewers of a change cost one rendering.
Nothing in a row depends on when it is read: the browser formats the times (static/js/time.js).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.template.loader import get_template
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString, mark_safe

from sessions_app.models import AgentSession, UpstreamName
from sessions_app.queries.pulse import slot
from sessions_app.rules import attention
from sessions_app.types import Sight, Status

MAX_KEPT = 8_000
"""Rows per process: some 25 MB.  More than that is looked at by nobody at once."""

URGENT_RANK = 50
"""From here on a reason is shown in the colour of alarm."""

COLUMNS = (
    "uuid", "version", "status", "model", "title", "task", "last_step", "step_count", "is_task_successful",
    "max_cost_microusd", "total_cost_microusd", "burn_microusd_per_min", "created_at", "ended_at",
    "observed_at", "status_since", "unread_since", "gone_at", "is_live", "attention", "attention_rank",
    "attention_quiet", "stopping", "picture", "account__name", "oddities",
)  # fmt: skip


_INDENT = re.compile(r"\n\s+")
"""A third of a row would be the template's indentation, sent again with every change."""


class RenderedRow(NamedTuple):
    """What the page joins and the push sends (`live.house.Row`)."""

    uuid: UUID
    version: int
    is_live: bool
    status: str
    attention_rank: int
    html: bytes


class Reason(NamedTuple):
    """Why a session needs attention.  `since` is None when the stored moment is unreadable."""

    code: str
    label: str
    words: str
    advice: str
    since: datetime | None
    urgent: bool
    quiet: attention.Quiet | None = None


def rendered(session_ids: Iterable[int], sight: Sight) -> dict[int, RenderedRow]:
    """Rows of the sessions (our ids) that exist, for viewers of this `sight`.  Two queries at most."""
    ids = list(session_ids)
    if not ids:
        return {}
    versions = AgentSession.objects.filter(pk__in=ids).values_list("pk", "version")
    return rendered_versions(dict(versions), sight)


def rendered_versions(versions: Mapping[int, int], sight: Sight) -> dict[int, RenderedRow]:
    """The same for who has just read id → version: one query, and only for rows that nobody rendered yet."""
    rows: dict[int, RenderedRow] = {}
    missing = []
    for session_id, version in versions.items():
        row = _kept.get((session_id, sight))
        if row is not None and row.version == version:
            rows[session_id] = row
        else:
            missing.append(session_id)
    for session_id, row in _render(missing, sight):
        rows[session_id] = row
        _keep((session_id, sight), row)
    return rows


def in_order(versions: Mapping[int, int], sight: Sight) -> list[SafeString]:
    """The HTML of each row, in the order of `versions`; a session deleted in between is left out."""
    rows = rendered_versions(versions, sight)
    return html_of(rows[pk] for pk in versions if pk in rows)


def html_of(rows: Iterable[RenderedRow]) -> list[SafeString]:
    """For templates."""
    return [mark_safe(row.html.decode()) for row in rows]  # noqa: S308 a rendered template


def forget() -> None:
    """Empties the process's store of rows."""
    with _lock:
        _kept.clear()


_kept: dict[tuple[int, Sight], RenderedRow] = {}
_lock = Lock()


def _keep(key: tuple[int, Sight], row: RenderedRow) -> None:
    with _lock:
        _kept.pop(key, None)  # the newest stand last, and the oldest go first
        _kept[key] = row
        if len(_kept) > MAX_KEPT:
            del _kept[next(iter(_kept))]


def draw(session: Any, sight: Sight) -> SafeString:
    """The row of a session that has its `account`, `profile_name` and `workspace_name`."""
    html = get_template("_row.html").render(_context(session, sight))
    return mark_safe(_INDENT.sub("\n", html).strip())  # noqa: S308 a rendered template


def _render(session_ids: list[int], sight: Sight) -> Iterator[tuple[int, RenderedRow]]:
    if not session_ids:
        return
    for session in _question().filter(pk__in=session_ids):
        html = draw(session, sight).encode()
        yield (
            session.pk,
            RenderedRow(
                session.uuid, session.version, session.is_live, session.status, session.attention_rank, html
            ),
        )


@cache
def _question() -> QuerySet:
    """With `profile_name` and `workspace_name`; None where the names were not read yet.  Never asked itself, only
    filtered: to put it together takes longer than a row's template."""
    return (
        AgentSession.objects.select_related("account")
        .only(*COLUMNS)
        .annotate(
            profile_name=_name(UpstreamName.PROFILE, "profile_id"),
            workspace_name=_name(UpstreamName.WORKSPACE, "workspace_id"),
        )
    )


def _name(kind: str, column: str) -> Subquery:
    names = UpstreamName.objects.filter(account=OuterRef("account"), kind=kind, uuid=OuterRef(column))
    return Subquery(names.values("name")[:1])


def _context(session: Any, sight: Sight) -> dict[str, Any]:
    return {
        "s": session,
        "slot": slot(session.account_id),
        "sight": sight,
        "costs": sight.see_costs,
        "reasons": reasons_of(session),
        "meter": _meter(session) if sight.see_costs else None,
        "outcome": _outcome(session),
        "place": [name for name in (session.profile_name, session.workspace_name) if name],
        "offers": offers(session, sight),
    }


def reasons_of(session: AgentSession) -> list[Reason]:
    """The stored entries as people read them, worst first."""
    entries = session.attention if isinstance(session.attention, list) else []
    return [_reason(entry) for entry in entries if isinstance(entry, dict) and entry.get("code")]


def _reason(entry: dict[str, Any]) -> Reason:
    code = str(entry.get("code", ""))
    try:
        since = parse_datetime(str(entry.get("since", "")))
    except ValueError:
        since = None
    if since is not None and since.tzinfo is None:
        since = None
    return Reason(
        code=code,
        label=attention.label(code),
        words=attention.words(entry),
        advice=attention.ADVICE.get(code, ""),
        since=since,
        urgent=attention.rank([entry]) >= URGENT_RANK,
        quiet=attention.quiet_of(entry),
    )


def offers(session: AgentSession, sight: Sight) -> dict[str, bool]:
    """Which stops this viewer is offered: `task` while something may run, `session` while it lives; and whether to
    `acknowledge` what it needs attention for, or to take that back (`wake`)."""
    possible = session.is_live and not session.stopping
    return {
        "acknowledge": sight.acknowledge and session.attention_rank > 0,
        "wake": sight.acknowledge and session.attention_rank <= 0 < session.attention_quiet,
        "task": possible and sight.stop_task and session.status != Status.IDLE,
        "session": possible and sight.end_session,
    }


def _meter(session: AgentSession) -> dict[str, int] | None:
    """Spent of the cap, in micro-dollars; None when either is unknown or no amount."""
    spent, cap = session.total_cost_microusd, session.max_cost_microusd
    if spent is None or spent < 0 or not cap or cap < 0:
        return None
    return {"value": min(spent, cap), "max": cap, "low": cap * 80 // 100, "high": cap * 95 // 100}


def _outcome(session: AgentSession) -> str:
    if session.is_task_successful is None:
        return ""
    return "succeeded" if session.is_task_successful else "failed"
