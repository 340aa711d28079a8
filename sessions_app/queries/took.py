"""How long a session took, as a condition on sessions."""

from typing import Any

from django.db.models import DateTimeField, FloatField, Func, Value
from django.db.models.functions import Coalesce
from django.utils import timezone


def took_s() -> "Took":
    """Seconds from its beginning to its end; of one that lives, so far."""
    now = Value(timezone.now(), output_field=DateTimeField())
    return Took(Coalesce("ended_at", now), "created_at")


class Took(Func):
    """Seconds between two moments.  Django's own difference calls Python for each row of SQLite."""

    output_field = FloatField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self._with(compiler, "ROUND((julianday({}) - julianday({})) * 86400.0, 3)")

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self._with(compiler, "EXTRACT(EPOCH FROM ({} - {}))")

    def _with(self, compiler: Any, words: str) -> Any:
        end, begin = (compiler.compile(part) for part in self.get_source_expressions())
        return words.format(end[0], begin[0]), (*end[1], *begin[1])
