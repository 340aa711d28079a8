"""manage.py verify_audit   walks the audit trail and names the first entry that does not fit the chain."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions_app.access import anchor, audit


class Command(BaseCommand):
    help = "Check that no audit entry was changed, taken away or put in between, nor cut off at the end."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = audit.verify()
        if verdict.bad is not None:
            raise CommandError(
                f"Audit entry {verdict.bad} does not fit the chain: it, or one before it, was changed or taken "
                f"away. The {verdict.entries} entries before it are as they were written."
            )
        if lost := anchor.broken():
            raise CommandError(
                f"Audit entry {lost.entry} was there once, as {anchor.path()} says, and is not any more: the end "
                f"of the trail was cut off or written anew. {verdict.entries} entries are left."
            )
        anchors = sum(1 for _ in anchor.read())
        self.stdout.write(
            f"{verdict.entries} entries, all as they were written; {anchors} anchors hold. "
            f"Head: {verdict.head or 'none yet'}"
        )
