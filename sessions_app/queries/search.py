"""What people type into the search box, as a condition on sessions.  The same on SQLite and PostgreSQL."""

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Replace

from sessions_app.models import AgentSession

LONGEST = 200
SHORTEST_ID = 4
"""Fewer hexadecimal digits than that are a word, not a part of an id."""
_HEX = frozenset("0123456789abcdef-")


def clean(text: str) -> str:
    """The text as it can be asked for: no NUL (PostgreSQL refuses it), no spaces around, not endless."""
    return text.replace("\0", "").strip()[:LONGEST]


def matching(sessions: QuerySet[AgentSession], text: str) -> QuerySet[AgentSession]:
    """Those with every word of `text` in title or last step, or with `text` as any part of the id."""
    if not text:
        return sessions
    said = Q()
    for word in text.split():
        said &= Q(title__icontains=word) | Q(last_step__icontains=word)
    part = _part_of_id(text)
    if not part:
        return sessions.filter(said)
    digits = Replace(Cast(F("uuid"), CharField()), Value("-"), Value(""))
    return sessions.alias(digits=digits).filter(said | Q(digits__contains=part))


def _part_of_id(text: str) -> str:
    """Hexadecimal digits, with or without dashes; empty when it cannot be a part of an id."""
    lowered = text.lower()
    digits = lowered.replace("-", "")
    return digits if set(lowered) <= _HEX and SHORTEST_ID <= len(digits) <= 32 else ""
