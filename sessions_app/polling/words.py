"""Keeps the words that sessions are found by, in the transaction of whoever changed what they say."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched

from sessions_app.models import AgentSession, SessionWords
from sessions_app.polling import writer
from sessions_app.rules.searchable import Source, digest_of, document_of

COLUMNS = ("session", "digest", "words")
AT_A_TIME = 500
_SAID = ("pk", "words__digest", "uuid", "title", "last_step", "is_live", "task", "detail__raw")


def index(session_ids: Iterable[int]) -> None:
    """Make the words of these sessions (our ids) those of what is stored of them now.  What says the same is left."""
    for batch in batched(sorted(session_ids), AT_A_TIME, strict=False):
        writer.upsert(SessionWords, COLUMNS, list(_fresh(batch)), unique=COLUMNS[:1], replace=COLUMNS[1:])


def _fresh(session_ids: Sequence[int]) -> Iterator[tuple[int, int, str]]:
    rows = AgentSession.objects.filter(pk__in=session_ids).order_by("pk").values_list(*_SAID)
    for pk, before, uuid, title, last_step, is_live, task, raw in rows:
        source = Source(uuid, title, last_step, is_live, task, raw or "")
        digest = digest_of(source)
        if digest != before:
            yield pk, digest, document_of(source)
