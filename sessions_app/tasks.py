"""Every Celery task: the timetable's entrances.  Each calls one function."""

from celery import shared_task


@shared_task
def heartbeat() -> None:
    """The canary: that it ran at all is the news (`dashboard.celery` notes when)."""
