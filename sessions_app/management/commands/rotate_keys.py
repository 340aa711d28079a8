"""manage.py rotate_keys   puts everything that is encrypted under the newest of ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.access.reencrypt import BATCH, Column, Tally, columns, reencrypt

LOST = (
    "{} values open with none of ENCRYPTION_KEYS. If a former key still exists, put it behind the others and run "
    "this again; else give those accounts their keys and secrets anew in the settings (live addresses come by "
    "themselves with the next reading)."
)


class Command(BaseCommand):
    help = (
        "Encrypts API keys, webhook secrets and live addresses anew.  May be broken off, and started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=BATCH, help="rows a transaction (default %(default)s)"
        )
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit code 1 if a former key is still needed"
        )

    def handle(self, *args: Any, batch: int, check: bool, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch must be at least 1.")
        total = Tally()
        for column in columns():
            total += self._one(column, batch, check)
        if total.lost:
            raise CommandError(LOST.format(total.lost))
        if check and total.moved:
            raise CommandError(f"{total.moved} values still need a former key: run manage.py rotate_keys.")
        self.stdout.write("Everything rests under the newest key: the former ones may be dropped.")

    def _one(self, column: Column, batch: int, check: bool) -> Tally:
        tally = Tally()
        for part in reencrypt(column, batch=batch, only_look=check):
            tally += part
        moved = "to be moved" if check else "moved"
        self.stdout.write(f"{column}: {tally.fresh} fresh, {tally.moved} {moved}, {tally.lost} unreadable")
        return tally
