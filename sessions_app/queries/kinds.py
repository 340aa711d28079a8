"""Which models and countries there ever were: read from all sessions once, and from then on from those that changed.

Asking the database at every page walks all of its sessions: half a second for a million of them.
"""

from datetime import datetime, timedelta
from threading import Lock

from django.utils import timezone

from sessions_app.models import AgentSession

MOST = 1_000
OVERLAP = timedelta(minutes=10)
"""`changed_at` is when an answer was asked for; it is seen only once it came and was committed."""

type Kind = tuple[str, str]
"""(model, proxy country); either may be empty."""


class _Kinds:
    """Of this process.  They only become more: what no session has any longer leads to an empty list, no worse."""

    def __init__(self) -> None:
        self.found: frozenset[Kind] = frozenset()
        self.read_to: datetime | None = None
        self.lock = Lock()


_kinds = _Kinds()


def kinds() -> frozenset[Kind]:
    """One query.  At most about MOST."""
    began = timezone.now()
    with _kinds.lock:
        sessions = AgentSession.objects.order_by()
        if _kinds.read_to:
            sessions = sessions.filter(changed_at__gte=_kinds.read_to)
        if len(_kinds.found) < MOST:
            _kinds.found |= set(sessions.values_list("model", "proxy_country").distinct()[:MOST])
        _kinds.read_to = began - OVERLAP
        return _kinds.found


def forget() -> None:
    """Whoever asks next reads all sessions again."""
    with _kinds.lock:
        _kinds.found, _kinds.read_to = frozenset(), None
