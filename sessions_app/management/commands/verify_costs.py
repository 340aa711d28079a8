"""`manage.py verify_costs`: proves that the books are right, or names the first session where they are not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions_app.costs.books import disagreement, first_disagreement
from sessions_app.costs.reading import one_moment
from sessions_app.models import AgentSession
from sessions_app.rules.money import format_exact


class Command(BaseCommand):
    help = "Checks that each session's bookings add up to its last total.  Exit code 1 if one does not."

    def handle(self, *args: Any, **options: Any) -> None:
        with one_moment():
            wrong, sums, sessions = first_disagreement(), disagreement(), AgentSession.objects.count()
        if wrong and wrong.session:
            raise CommandError(
                f"Session {wrong.session.uuid}: booked ${format_exact(wrong.booked)}, "
                f"its total is ${format_exact(wrong.known)}."
            )
        if sums:
            raise CommandError(f"Booked ${format_exact(sums.booked)}, known ${format_exact(sums.known)}.")
        self.stdout.write(
            f"The bookings of {sessions:,} sessions add up to their totals, to the micro-dollar."
        )
