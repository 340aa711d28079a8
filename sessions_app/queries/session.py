"""Everything that the page of one session shows, for one sight."""

import re
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from sessions_app.models import AgentSession, SessionDetail, UpstreamName
from sessions_app.rules import attention
from sessions_app.types import FINAL_STATUSES, KNOWN_STATUSES, Oddity, Sight, Status
from sessions_app.upstream.urls import safe_live_url

from .curve import PARTS, Curve, curve_of
from .film import Film, Spot, film_of
from .messages import Log, Sought, log_of
from .messages import short as shortened
from .receipt import Receipt
from .reply import Reply, read, speaks_of_money
from .stops import receipts_of
from .timeline import Timeline, timeline_of
from .wheel import Driver, driver_of, watching

USUAL_SCREEN = (1280, 800)
A_DAY_MIN = 24 * 60


class Reason(NamedTuple):
    """Why the session needs attention."""

    code: str
    label: str
    words: str
    advice: str
    since: datetime | None
    quiet: attention.Quiet | None = None


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


class Asked(NamedTuple):
    """What an address asks to see of the page's history; nothing: the newest."""

    before_ms: int | None = None
    messages: Sought = Sought()
    film: Spot | None = None


class SessionPage:
    """The page, panel by panel: each part is read when a template first asks for it.

    Nothing in it speaks of costs unless `sight` may see them; the live view is apart (`live_view`).
    """

    def __init__(self, session: AgentSession, sight: Sight, now: datetime, asked: Asked = Asked()) -> None:  # noqa: B008 - frozen
        self.session, self.sight, self.now, self.asked = session, sight, now, asked

    @cached_property
    def detail(self) -> SessionDetail:
        return detail_of(self.session)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(_reason(entry) for entry in self.session.attention if isinstance(entry, dict))

    @property
    def snoozes(self) -> list[tuple[str, str]]:
        return list(attention.SNOOZES.items())

    @cached_property
    def reply(self) -> Reply:
        return read(self.detail.raw, with_costs=self.sight.see_costs)

    @cached_property
    def names(self) -> Names:
        return _names(self.session)

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """Whoever has the address of a recording can watch it, so it is for those who may watch."""
        lines = self.detail.recording_urls.splitlines() if self.sight.watch_live else []
        return tuple(_recording(line) for line in lines if line.strip())

    @cached_property
    def oddities(self) -> tuple[Oddity, ...]:
        return tuple(_oddities(self.session, self.sight))

    @cached_property
    def curve(self) -> Curve | None:
        return curve_of(self.session, self.now, with_costs=self.sight.see_costs)

    @cached_property
    def timeline(self) -> Timeline:
        """A page of it: what came before the moment that was asked for, or the newest."""
        return timeline_of(self.session, self.asked.before_ms, with_costs=self.sight.see_costs)

    @cached_property
    def log(self) -> Log:
        """The newest messages, or those that were asked for."""
        return log_of(self.session, self.now, self.asked.messages)

    @property
    def task_short(self) -> str:
        return shortened(self.session.task)

    @cached_property
    def film(self) -> Film:
        return film_of(self.session, self.asked.film, with_costs=self.sight.see_costs)

    @cached_property
    def receipts(self) -> tuple[Receipt, ...]:
        return tuple(receipts_of(self.session, self.now))

    @cached_property
    def driver(self) -> Driver | None:
        return driver_of(self.session, self.now)

    @cached_property
    def watching(self) -> tuple[str, ...]:
        return watching(self.session)

    @property
    def spent_of_cap(self) -> int | None:
        """Percent, 0 to 100; None without a cap, or for those who may not see costs."""
        cap, spent = self.session.max_cost_microusd, self.session.total_cost_microusd
        if not self.sight.see_costs or spent is None or not cap or cap < 0:
            return None
        return min(max(spent * 100 // cap, 0), 100)

    @property
    def cap_at(self) -> datetime | None:
        """When it reaches its cap if it burns on like this; None when that is not within a day, or nobody knows."""
        session = self.session
        cap, spent = session.max_cost_microusd, session.total_cost_microusd
        burn = session.burn_microusd_per_min if session.is_live else 0
        if not self.sight.see_costs or cap is None or spent is None or spent >= cap or burn <= 0:
            return None
        minutes = (cap - spent) / burn
        return session.observed_at + timedelta(minutes=minutes) if minutes <= A_DAY_MIN else None

    @property
    def unexplained_microusd(self) -> int | None:
        """What the vendor's total has beyond its three parts, or lacks; None or 0 when they add up."""
        parts = [getattr(self.session, name) for _, name in PARTS]
        total = self.session.total_cost_microusd
        return None if total is None or None in parts else total - sum(parts)

    @property
    def took(self) -> timedelta | None:
        ended_at = self.session.ended_at
        return ended_at - self.session.created_at if ended_at else None

    @property
    def can_stop_task(self) -> bool:
        return self.sight.stop_task and may_have_a_task(self.session)

    @property
    def can_end_session(self) -> bool:
        return self.sight.end_session and self.session.is_live

    @property
    def read_at(self) -> datetime:
        """How old the page is: a living session is read with its account, an ended one is what it was."""
        account_read_at = self.session.account.last_read_at if self.session.is_live else None
        return max(self.session.observed_at, account_read_at or self.session.observed_at)


def find(uuid: UUID) -> AgentSession | None:
    """The session with its account and its bulk."""
    return AgentSession.objects.select_related("account", "detail", "message_log").filter(uuid=uuid).first()


def may_have_a_task(session: AgentSession) -> bool:
    """Whether there can be a task to stop: not when idle or ended; an unknown status may well have one."""
    idle = session.status in (Status.IDLE, Status.CREATED)
    return session.is_live and session.status not in FINAL_STATUSES and not idle


def live_view(session: AgentSession, sight: Sight) -> LiveView:
    """The live view of a session that `sight` may watch."""
    screen = screen_of(session)
    url = detail_of(session).live_url if sight.watch_live else ""
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


def screen_of(session: AgentSession) -> tuple[int, int]:
    """Width and height of the session's browser window, as said or as usual."""
    return read(detail_of(session).raw, with_costs=False).screen or USUAL_SCREEN


def detail_of(session: AgentSession) -> SessionDetail:
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
        code,
        attention.label(code),
        attention.words(entry),
        attention.ADVICE.get(code, ""),
        _since(entry),
        attention.quiet_of(entry),
    )


def _since(entry: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(entry.get("since", "")))
    except ValueError:
        return None


def _names(session: AgentSession) -> Names:
    wanted = [uuid for uuid in (session.profile_id, session.workspace_id) if uuid]
    known: dict[tuple[str, UUID | None], UpstreamName] = {}
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
