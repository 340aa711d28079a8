"""What people type into the search box, as a condition on sessions."""

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from sessions_app.models import AgentSession
from sessions_app.rules.words import MOST_ASKED, Asked, asked

LONGEST = 200
_INDEXED = {
    "sqlite": "SELECT rowid FROM sessions_app_sessionwords_index WHERE sessions_app_sessionwords_index MATCH %s",
    "postgresql": "SELECT session_id FROM sessions_app_sessionwords WHERE vector @@ %s::tsquery",
}


def clean(text: str) -> str:
    """The text as it can be asked for: no NUL (PostgreSQL refuses it), no spaces around, not endless."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()[:LONGEST]


def matching(sessions: QuerySet[AgentSession], text: str) -> QuerySet[AgentSession]:
    """Those with every word of `text` in title, task, output or last step, or with `text` as any part of the id.

    Of title and last step any part of a word will do; of task and output its beginning.
    """
    if not text:
        return sessions
    said, parameters = AgentSession.objects.filter(_just_said(text)).values("pk").query.sql_with_params()
    whole = asked(text)
    if not whole.is_empty:
        # One list of both: with OR, PostgreSQL looks at every session there is.
        said, parameters = f"{_INDEXED[connection.vendor]} UNION ALL {said}", (_spelled(whole), *parameters)
    return sessions.filter(pk__in=RawSQL(said, parameters))  # noqa: S611 - parameters only


def _just_said(text: str) -> Q:
    """Living sessions say something else every few seconds, so that is looked up where it stands."""
    said = Q(is_live=True)
    words = text.split()[:MOST_ASKED]
    for word in words:
        here = Q(title__icontains=word) | Q(last_step__icontains=word)
        elsewhere = asked(word)._replace(id_pieces=())
        # A single word that stands elsewhere is found there anyway.
        said &= here if elsewhere.is_empty or len(words) == 1 else here | _indexed(elsewhere)
    return said


def _indexed(wanted: Asked) -> Q:
    """By the database's index over `SessionWords`: migration `search_index`."""
    return Q(pk__in=RawSQL(_INDEXED[connection.vendor], [_spelled(wanted)]))  # noqa: S611 - parameters only


def _spelled(wanted: Asked) -> str:
    either = [_all_of(words) for words in (wanted.words, wanted.id_pieces) if words]
    return (" OR " if connection.vendor == "sqlite" else " | ").join(either)


def _all_of(words: tuple[str, ...]) -> str:
    """Beginnings of words, as the database spells them.  `rules.words` leaves no quote in a word."""
    if connection.vendor == "sqlite":
        return "(" + " AND ".join(f'"{word}"*' for word in words) + ")"
    return "(" + " & ".join(f"'{word}':*" for word in words) + ")"
