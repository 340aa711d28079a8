"""Everything that the page of one session shows, for one sight."""

import re
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from sessions_app.models import AgentSession, SessionDetail, UpstreamName
from sessions_app.rules import attention
from sessions_app.types import FINAL_STATUSES, KNOWN_STATUSES, Oddity, Sight, Status
from sessions_app.upstream.urls import safe_live_url

from .curve import Curve, curve_of
from .reply import Reply, read, speaks_of_money
from .stops import Receipt, receipts_of
from .timeline import Frame, Timeline, film_of, timeline_of

USUAL_SCREEN = (1280, 800)


class Reason(NamedTuple):
    """Why the session needs attention."""

    code: str
    label: str
    words: str
    advice: str
    since: datetime | None


class LiveView(NamedTuple):
    """The frame, or in words why there is none.  `url` is a credential: for pages of those who may watch."""

    url: str
    why_not: str
    width: int
    height: int


class Names(NamedTuple):
    """What people call the session's profile and workspace; empty when we do not know."""

    profile: str
    customer: str
    workspace: str


class Recording(NamedTuple):
    """A recording that may be linked to (`url`), or what stood there instead (`text`)."""

    url: str
    text: str


class SessionPage(NamedTuple):
    """The page.  Nothing in it speaks of costs unless `sight` may see them; the live view is apart."""

    session: AgentSession
    sight: Sight
    reasons: tuple[Reason, ...]
    reply: Reply
    raw_bytes: int
    names: Names
    recordings: tuple[Recording, ...]
    oddities: tuple[Oddity, ...]
    curve: Curve | None
    timeline: Timeline
    film: tuple[Frame, ...]
    receipts: tuple[Receipt, ...]
    can_stop_task: bool
    can_end_session: bool
    now: datetime


def find(uuid: UUID) -> AgentSession | None:
    """The session with its account and its bulk."""
    return AgentSession.objects.select_related("account", "detail").filter(uuid=uuid).first()


def session_page(session: AgentSession, sight: Sight, before_ms: int | None, now: datetime) -> SessionPage:
    """All panels; `before_ms` pages the timeline."""
    detail = _detail(session)
    return SessionPage(
        session=session,
        sight=sight,
        reasons=tuple(_reason(entry) for entry in session.attention if isinstance(entry, dict)),
        reply=read(detail.raw, with_costs=sight.see_costs),
        raw_bytes=detail.raw_bytes,
        names=_names(session),
        recordings=tuple(_recording(line) for line in detail.recording_urls.splitlines() if line.strip()),
        oddities=tuple(_oddities(session, sight)),
        curve=curve_of(session, now, with_costs=sight.see_costs),
        timeline=timeline_of(session, before_ms, with_costs=sight.see_costs),
        film=film_of(session, with_costs=sight.see_costs),
        receipts=tuple(receipts_of(session, now)),
        can_stop_task=sight.stop_task and may_have_a_task(session),
        can_end_session=sight.end_session and session.is_live,
        now=now,
    )


def may_have_a_task(session: AgentSession) -> bool:
    """Whether there can be a task to stop: not when idle or ended; an unknown status may well have one."""
    idle = session.status in (Status.IDLE, Status.CREATED)
    return session.is_live and session.status not in FINAL_STATUSES and not idle


def live_view(session: AgentSession, sight: Sight) -> LiveView:
    """The live view of a session that `sight` may watch."""
    screen = read(_detail(session).raw, with_costs=False).screen or USUAL_SCREEN
    url = _detail(session).live_url if sight.watch_live else ""
    safe = safe_live_url(url, settings.LIVE_VIEW_ORIGINS, settings.UPSTREAM_IS_LOOPBACK) if url else None
    if not session.is_live:
        why_not = "Gone upstream." if session.gone_at else "The session has ended."
    elif not sight.watch_live:
        why_not = "Watching live is not part of your role."
    elif not url:
        why_not = "Browser Use Cloud offers no live view of it."
    else:
        why_not = "" if safe else f"Live view hidden: its address {_host(url)}is not on LIVE_VIEW_ORIGINS."
    return LiveView("" if why_not else safe or "", why_not, *screen)


def _detail(session: AgentSession) -> SessionDetail:
    """The bulk, or an empty one: a row of the floor may be there before its detail is."""
    try:
        return session.detail
    except SessionDetail.DoesNotExist:
        return SessionDetail(session=session)


def _host(url: str) -> str:
    """The origin of a rejected address when it is plain; never its path, which is the credential."""
    plain = re.match(r"https?://[a-z0-9.-]{1,253}(:\d{1,5})?(?=[/?#]|\Z)", url, re.ASCII)
    return f"({plain.group()}) " if plain else ""


def _reason(entry: dict[str, Any]) -> Reason:
    code = str(entry.get("code", ""))
    return Reason(
        code, attention.label(code), attention.words(entry), attention.ADVICE.get(code, ""), _since(entry)
    )


def _since(entry: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(entry.get("since", "")))
    except ValueError:
        return None


def _names(session: AgentSession) -> Names:
    wanted = [uuid for uuid in (session.profile_id, session.workspace_id) if uuid]
    known = {}
    if wanted:
        rows = UpstreamName.objects.filter(account_id=session.account_id, uuid__in=wanted)
        known = {(row.kind, row.uuid): row for row in rows}
    profile = known.get((UpstreamName.PROFILE, session.profile_id))
    workspace = known.get((UpstreamName.WORKSPACE, session.workspace_id))
    return Names(
        profile.name if profile else "",
        profile.customer_id if profile else "",
        workspace.name if workspace else "",
    )


def _recording(line: str) -> Recording:
    """Linked only when it is a plain web address; anything else is text."""
    plain = re.fullmatch(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?([/?#][\x21-\x7e]*)?", line)
    allowed = plain and "\\" not in line and (line.startswith("https://") or settings.UPSTREAM_IS_LOOPBACK)
    return Recording(line, "") if allowed else Recording("", line[:200])


def _oddities(session: AgentSession, sight: Sight) -> list[Oddity]:
    """Fields off the contract, and a status that the contract does not know."""
    pairs = [Oddity(str(pair[0]), str(pair[1])) for pair in session.oddities if _is_pair(pair)]
    if session.status not in KNOWN_STATUSES and all(odd.field != "status" for odd in pairs):
        pairs.append(Oddity("status", session.status))
    return [odd for odd in pairs if sight.see_costs or not speaks_of_money(odd.field)]


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2
