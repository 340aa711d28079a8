"""manage.py mail_costs: sends the weekly reports of costs that are due, as the timetable does each minute."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sessions_app.costs import weekly
from sessions_app.models import CostReport


class Command(BaseCommand):
    help = "Sends the reports of last week's costs that are due; with --all every one, whether it was sent or not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those that were sent")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.MAIL_IS_SET_UP:
            raise CommandError(weekly.NOT_SET_UP)
        now = timezone.now()
        if not options["all"]:
            self.stdout.write(f"{weekly.send_due(now)} sent.")
            return
        failed = [
            error for one in CostReport.objects.select_related("owner") if (error := self._send(one, now))
        ]
        if failed:
            raise CommandError("; ".join(failed))

    def _send(self, one: CostReport, now: Any) -> str:
        try:
            weekly.send(one, weekly.last_week(one.zone, now), now)
        except weekly.NotSent as error:
            return f"{one.name}: {error}"
        self.stdout.write(f"{one.name} sent to {one.to}.")
        return ""
