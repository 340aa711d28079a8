"""`manage.py sign_in_link [NAME]`: for whoever has the server, but no password."""

import os
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.processes.choices import choose
from sessions_app.access.links import make_token


class Command(BaseCommand):
    help = "Prints a link that signs somebody in: once, within a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="Whom; the first admin, unless said.")
        parser.add_argument("--address", help="Where people reach the floor; else from HOST and PORT.")

    def handle(self, *args: Any, **options: Any) -> None:
        people = User.objects.filter(is_active=True).order_by("pk")
        name = options["name"]
        user = (people.filter(username=name) if name else people.filter(is_superuser=True)).first()
        if user is None:
            raise CommandError(f"There is no active {name or 'admin'} here.")
        address = options["address"] or choose(os.environ, settings.DATA_DIR).address
        self.stdout.write(f"{address.rstrip('/')}/accounts/link/{make_token(user)}/")
