"""The proof that the books are right, made once a day and whenever somebody asks for it, and kept to be shown."""

from datetime import datetime, timedelta

from django.utils import timezone

from sessions_app.costs.books import disagreement, first_disagreement
from sessions_app.costs.reading import one_moment
from sessions_app.models import AgentSession, BooksProof
from sessions_app.rules.money import format_exact

DAILY = timedelta(hours=24)
KEPT = 30


def prove() -> BooksProof:
    """Adds up the bookings of every session, all as of one moment.  Reads everything, and writes only what came of it."""
    made = BooksProof.objects.create(begun_at=timezone.now())
    with one_moment():
        made.sessions, made.wrong = AgentSession.objects.count(), _wrong()
    made.ended_at = timezone.now()
    made.save()
    kept = BooksProof.objects.order_by("-begun_at").values("pk")[:KEPT]
    BooksProof.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return made


def prove_daily(now: datetime) -> BooksProof | None:
    """Unless that was begun within a day: whoever else has the same idea finds it begun."""
    if BooksProof.objects.filter(begun_at__gt=now - DAILY).exists():
        return None
    return prove()


def last() -> BooksProof | None:
    """The last one that came to its end."""
    return BooksProof.objects.filter(ended_at__isnull=False).order_by("-begun_at").first()


def _wrong() -> str:
    if (wrong := first_disagreement()) and wrong.session:
        booked, known = format_exact(wrong.booked), format_exact(wrong.known)
        return f"Session {wrong.session.uuid}: booked ${booked}, its total is ${known}."
    if sums := disagreement():
        return f"Booked ${format_exact(sums.booked)}, known ${format_exact(sums.known)}."
    return ""
