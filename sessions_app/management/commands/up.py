"""Everything with one command: database, static files, broker, web, workers, beat, simulator."""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from dashboard.processes import preparation
from dashboard.processes.choices import Choices, choose
from dashboard.processes.console import Console
from dashboard.processes.errors import CannotStart
from dashboard.processes.layout import only_one, private_dir
from dashboard.processes.ports import listen
from dashboard.processes.supervisor import Prepare, Supervisor, tie_to_make


class Command(BaseCommand):
    help = "Start the whole floor and keep it up until Ctrl-C.  PORT, HOST and DATA_DIR come from the environment."
    requires_system_checks: tuple[str, ...] = ()

    def handle(self, *args: Any, **options: Any) -> None:
        tie_to_make()
        console = Console()
        try:
            code = self._run(console)
        except CannotStart as problem:
            console.close()
            self.stderr.write(f"{problem}")
            code = 1
        console.close()
        sys.exit(code)

    def _run(self, console: Console) -> int:
        private_dir(settings.DATA_DIR)
        choices = choose(os.environ, settings.DATA_DIR)
        with only_one(settings.DATA_DIR, f"process {os.getpid()} ({choices.address})"):
            listener = listen(choices.host, choices.port)
            prepare = preparation_for(choices, console)
            return asyncio.run(Supervisor(choices, listener, prepare, console).run())


def preparation_for(choices: Choices, console: Console) -> Prepare:
    """What the supervisor runs once the broker answers, in a thread: returns how to sign in, in lines."""

    def prepare(environ: dict[str, str]) -> Sequence[str]:
        adopt(environ)
        try:
            preparation.prepare_database(console.say)
            preparation.prepare_static(settings.STATIC_ROOT, console.say)
            from sessions_app.access.first_run import prepare as first_run

            return first_run(base_address=choices.address)
        finally:
            connections.close_all()

    return prepare


def adopt(environ: dict[str, str]) -> None:
    """Settings were read before we chose the broker and the simulator: bring this process in line."""
    os.environ.update(environ)
    settings.REDIS_URL = environ["REDIS_URL"]
    settings.CACHES["default"]["LOCATION"] = environ["REDIS_URL"]
    if environ.get("WATCHFLOOR_SIMULATOR") == "1":
        settings.SIMULATOR = True
        settings.BROWSER_USE_BASE_URL = environ["BROWSER_USE_BASE_URL"]
        settings.BROWSER_USE_API_KEY = environ["BROWSER_USE_API_KEY"]
        settings.UPSTREAM_IS_LOOPBACK = True
