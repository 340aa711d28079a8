"""Made-up sessions and pulses for the styleguide: every state that a row or an empty page can be in.  Nothing is stored."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sessions_app.models import Account, AgentSession
from sessions_app.queries.floor import FloorFilter
from sessions_app.queries.pulse import FAILING, NEVER, OK, Pulse, Reading

NAMESPACE = UUID("5f0f2d5e-6f59-4c39-9c39-0c1f5a1f0c11")
STATES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("running", {"status": "running"}),
    ("idle", {"status": "idle"}),
    ("starting", {"status": "created", "title": "", "task": "", "last_step": "", "step_count": 0}),
    ("a status nobody knows", {"status": "hibernating"}),
    ("task being stopped", {"status": "running", "stopping": "task"}),
    ("stopped", {"status": "stopped", "is_live": False, "is_task_successful": True}),
    ("timed out", {"status": "timed_out", "is_live": False, "is_task_successful": False}),
    ("error", {"status": "error", "is_live": False}),
)
AGO_S = {
    "unread alone": ("unread_since", 95),
    "gone upstream": ("gone_at", 40),
}


class Empty(NamedTuple):
    """What templates/live/_empty.html is drawn with."""

    word: str
    chosen: FloorFilter
    facts: Pulse


def sessions(now: datetime, theme: str) -> list[AgentSession]:
    """One of every state.  Their ids differ by `theme`, for both stand on one page."""
    made = [_session(now, f"{theme} {word}", **fields) for word, fields in STATES]
    for word, (field, seconds) in AGO_S.items():
        made.append(
            _session(now, f"{theme} {word}", status="running", **{field: now - timedelta(seconds=seconds)})
        )
    since = (now - timedelta(minutes=12)).isoformat()
    entries = [{"code": code, "since": since} for code in ("high_spend", "looping")]
    made.append(_session(now, f"{theme} attention", status="running", attention=entries, attention_rank=90))
    known = [entry | {"quiet": {"by": "ana", "at": since, "until": ""}} for entry in entries]
    made.append(_session(now, f"{theme} acknowledged", status="running", attention=known, attention_quiet=2))
    return made


def empties(now: datetime) -> list[Empty]:
    """Every reason for which the floor shows nothing."""
    everything = FloorFilter()
    return [
        Empty("match", everything._replace(q="desk"), _pulse(now, OK, running=3)),
        Empty("none", everything, _pulse(now, OK)),
        Empty("never", everything, _pulse(now, NEVER)),
        Empty("failing", everything, _pulse(now, FAILING)),
        Empty("paused", everything, _pulse(now, None)._replace(paused=("Research",))),
        Empty("account", everything, _pulse(now, None)),
    ]


def _session(now: datetime, word: str, **fields: Any) -> AgentSession:
    uuid, began = uuid5(NAMESPACE, word), now - timedelta(minutes=31)
    usual = {
        "title": f"A session: {word.partition(' ')[2]}", "last_step": "Comparing the third offer", "model": "bu-max",
        "step_count": 41, "total_cost_microusd": 2_660_000, "max_cost_microusd": 2_950_000,
        "burn_microusd_per_min": 36_300, "created_at": began, "status_since": began,
        "observed_at": now - timedelta(seconds=2), "ended_at": None if fields.get("is_live", True) else now,
    }  # fmt: skip
    session = AgentSession(
        uuid=uuid, account=Account(pk=0, name="Production", slug="production"), **(usual | fields)
    )
    session.profile_name, session.workspace_name = "Purchasing", None  # type: ignore[attr-defined]
    return session


def _pulse(now: datetime, state: str | None, running: int = 0) -> Pulse:
    read_at = None if state == NEVER else now - timedelta(seconds=3)
    reading = Reading("Production", state or OK, read_at, None, "The server answers 503.", None, None)
    return Pulse(running, 0, 0, 0, 0, 0, None, None, (reading,) if state else ())
