"""What people type into the search box, as a condition on sessions."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from sessions_app.models import AgentSession
from sessions_app.rules.words import MOST_ASKED, Asked, asked

LONGEST = 200
_INDEXED = {
    "sqlite": "SELECT rowid FROM sessions_app_sessionwords_index WHERE sessions_app_sessionwords_index MATCH %s",
    "postgresql": "SELECT session_id FROM sessions_app_sessionwords WHERE vector @@ %s::tsquery",
}
# A value, not EXISTS: PostgreSQL would rather work out the whole list first.
_OF_ROW = "(SELECT {test} FROM sessions_app_sessionwords w WHERE w.session_id = sessions_app_agentsession.id)"


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


def matching_one_by_one(sessions: QuerySet[AgentSession], text: str) -> QuerySet[AgentSession]:
    """The same, for words that many sessions have: each session is asked by itself, in the order of whoever reads.

    Whoever wants a page of fifty then looks at some hundreds, not at a list of all that match.
    """
    whole, said = asked(text), _just_said(text, _in_row)
    return sessions.filter(said if whole.is_empty else _in_row(whole) | said)


def indexed_up_to(text: str, most: int) -> int:
    """How many sessions the index finds, counted up to `most`; living ones may be found by their step besides."""
    wanted = asked(text)
    if wanted.is_empty:
        return 0
    statement = f"SELECT count(*) FROM ({_INDEXED[connection.vendor]} LIMIT %s) found"  # noqa: S608
    parameters: list[str | int] = [_spelled(wanted), most]
    if connection.vendor == "sqlite":  # outside of a transaction: there, each waits for whoever writes
        return _number(statement, parameters)
    with transaction.atomic():
        # Else it may read all documents out of their compressed storage, and does not reckon that as a cost.
        _number("SELECT length(set_config('enable_seqscan', 'off', true))")
        counted = _number(statement, parameters)
        _number("SELECT length(set_config('enable_seqscan', 'on', true))")
    return counted


def _number(statement: str, parameters: Sequence[str | int] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])


def _just_said(text: str, elsewhere_too: Callable[[Asked], Q] | None = None) -> Q:
    """Living sessions say something else every few seconds, so that is looked up where it stands."""
    elsewhere_too = elsewhere_too or _indexed
    said = Q(is_live=True)
    words = text.split()[:MOST_ASKED]
    for word in words:
        here = Q(title__icontains=word) | Q(last_step__icontains=word)
        elsewhere = asked(word)._replace(id_pieces=())
        # A single word that stands elsewhere is found there anyway.
        said &= here if elsewhere.is_empty or len(words) == 1 else here | elsewhere_too(elsewhere)
    return said


def _indexed(wanted: Asked) -> Q:
    """By the database's index over `SessionWords`: migration `search_index`."""
    return Q(pk__in=RawSQL(_INDEXED[connection.vendor], [_spelled(wanted)]))  # noqa: S611 - parameters only


def _in_row(wanted: Asked) -> Q:
    """By the words of the one session."""
    test = "w.vector @@ %s::tsquery"
    parameters: tuple[str, ...] = (_spelled(wanted),)
    if connection.vendor == "sqlite":
        either = [words for words in (wanted.words, wanted.id_pieces) if words]
        test = " OR ".join(
            " AND ".join(["instr(' ' || w.words, ' ' || %s)"] * len(words)) for words in either
        )
        parameters = tuple(word for words in either for word in words)
    value = RawSQL(_OF_ROW.format(test=test), parameters, output_field=BooleanField())  # noqa: S611 - parameters only
    return Q(value)


def _spelled(wanted: Asked) -> str:
    either = [_all_of(words) for words in (wanted.words, wanted.id_pieces) if words]
    return (" OR " if connection.vendor == "sqlite" else " | ").join(either)


def _all_of(words: tuple[str, ...]) -> str:
    """Beginnings of words, as the database spells them.  `rules.words` leaves no quote in a word."""
    if connection.vendor == "sqlite":
        return "(" + " AND ".join(f'"{word}"*' for word in words) + ")"
    return "(" + " & ".join(f"'{word}':*" for word in words) + ")"
