"""`manage.py simulate`: a stand-in for Browser Use Cloud, for trying the dashboard without a key."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sessions_app.simulator.flags import add_flags, options
from sessions_app.simulator.server import serve


class Command(BaseCommand):
    help = "Serves a simulated Browser Use Cloud (API v3) until interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_flags(parser)

    def handle(self, *args: Any, **parsed: Any) -> None:
        sys.exit(serve(**options(parsed)))
