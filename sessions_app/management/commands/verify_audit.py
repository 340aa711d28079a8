"""manage.py verify_audit   walks the audit trail and names the first entry that does not fit the chain."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions_app.access import audit


class Command(BaseCommand):
    help = "Check that no audit entry was changed, taken away or put in between."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = audit.verify()
        if verdict.bad is not None:
            raise CommandError(
                f"Audit entry {verdict.bad} does not fit the chain: it, or one before it, was changed or taken "
                f"away. The {verdict.entries} entries before it are as they were written."
            )
        self.stdout.write(
            f"{verdict.entries} entries, all as they were written. Head: {verdict.head or 'none yet'}"
        )
