"""What a session can be found by."""

from django.db import models

from .session import AgentSession


class SessionWords(models.Model):
    """The words of a session, with an index of the database's own over them (migration `search_index`).

    SQLite: an FTS5 table, kept by triggers on this one.  PostgreSQL: GIN over a tsvector.
    """

    session = models.OneToOneField(
        AgentSession, on_delete=models.CASCADE, primary_key=True, related_name="words"
    )
    digest = models.BigIntegerField(help_text="rules.searchable.digest_of what the words were made from.")
    words = models.TextField(help_text="rules.words.document: each word once, with spaces between.")

    def __str__(self) -> str:
        return f"words of session {self.session_id}"
