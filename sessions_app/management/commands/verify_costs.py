"""`manage.py verify_costs`: proves that the books are right, or names the first session where they are not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions_app.costs import proof


class Command(BaseCommand):
    help = "Checks that each session's bookings add up to its last total.  Exit code 1 if one does not."

    def handle(self, *args: Any, **options: Any) -> None:
        made = proof.prove()
        if made.wrong:
            raise CommandError(made.wrong)
        self.stdout.write(
            f"The bookings of {made.sessions:,} sessions add up to their totals, to the micro-dollar."
        )
