"""`manage.py prune_history`: thins old history now, all of it; with `--dry-run` says what would go, and touches nothing."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from sessions_app.models import UpkeepPass
from sessions_app.upkeep import history

MB = 1024 * 1024


class Command(BaseCommand):
    help = "Thins old history by HISTORY_FULL_DAYS and HISTORY_FINE_DAYS, as the timetable does every hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would go.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        self.stdout.write(_policy())
        if dry_run:
            self._forecast()
        else:
            self._report(self._run())

    def _forecast(self) -> None:
        found = history.forecast()
        self.stdout.write(
            f"{found.rows:,} snapshots of {found.sessions:,} sessions are old enough: {found.droppable:,} would go, "
            f"{found.rows - found.droppable:,} stay. {found.texts:,} summaries of steps would go with them."
        )
        self.stdout.write("Nothing was changed. Bookings, sessions, stops and the audit are never touched.")

    def _run(self) -> UpkeepPass:
        done = history.work(every=timedelta(0))
        while done and not done.finished_at:
            self.stdout.write(f"  {done.deleted:,} gone so far")
            done = history.work(every=timedelta(0))
        if done is None:
            raise CommandError("A worker is at it right now. Its progress stands under Settings.")
        return done

    def _report(self, done: UpkeepPass) -> None:
        kept = done.looked_at - done.deleted
        self.stdout.write(
            f"{done.looked_at:,} snapshots were old enough: {done.deleted:,} are gone, {kept:,} stay. "
            f"{done.texts_deleted:,} summaries of steps are gone, too."
        )
        if connection.vendor == "sqlite":
            self.stdout.write(f"{_free_mb():,.1f} MB of the database file are free for what comes next.")


def _policy() -> str:
    policy = history.policy()
    if not policy.full_days:
        return "HISTORY_FULL_DAYS is 0: every snapshot stays for ever."
    fine = f"older than {policy.fine_days} days one per hour" if policy.fine_days else "at any age"
    return f"Older than {policy.full_days} days: one per five minutes, {fine}."


def _free_mb() -> float:
    with connection.cursor() as cursor:
        pages, size = (
            cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size")
        )
    return pages * size / MB
