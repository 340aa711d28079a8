"""`manage.py prepare`: what `up` does before it starts anything, for floors that run on many machines."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dashboard.processes import preparation
from sessions_app.access import first_run


class Command(BaseCommand):
    help = "Migrates, collects static files, and makes the account of the key, if there is one, and the first admin.  Once per release."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--address",
            default="http://127.0.0.1:8000",
            help="Where people reach the floor, for the sign-in link.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BROWSER_USE_API_KEY:
            self.stdout.write(
                "BROWSER_USE_API_KEY is not set: accounts are those added in the settings page."
            )
        preparation.prepare_database(self.stdout.write)
        preparation.prepare_static(settings.STATIC_ROOT, self.stdout.write)
        for line in first_run.prepare(options["address"].rstrip("/")):
            self.stdout.write(line)
