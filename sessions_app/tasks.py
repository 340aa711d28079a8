"""Every Celery task: the timetable's entrances.  Each calls one function."""

from celery import shared_task
from django.utils import timezone

from sessions_app.access import anchor
from sessions_app.costs import budgets, proof, weekly
from sessions_app.polling import facts, messages, turns, watched
from sessions_app.screenshots import retention, rounds
from sessions_app.stopping import bulk, work
from sessions_app.upkeep import history


@shared_task
def heartbeat() -> None:
    """The canary: that it ran at all is the news (`dashboard.celery` notes when)."""


@shared_task
def take_pictures() -> None:
    """A round of screenshots: what the sessions' browsers show now, kept before the addresses die."""
    rounds.take_round()


@shared_task
def read_messages() -> None:
    """What is said in sessions that somebody has open, or that need attention; of others their task."""
    messages.read_all_due()


@shared_task
def work_stops() -> None:
    """What bulks still have waiting becomes stops; then a step for every stop that is due."""
    bulk.release(timezone.now())
    work.work_due()


@shared_task
def sweep_due_accounts() -> None:
    """Read the accounts whose turn it is."""
    turns.sweep_due_accounts(turns.TICK_S)


@shared_task
def read_watched() -> None:
    """Read what somebody has open, and what was woken."""
    watched.read_until_the_next_tick()


@shared_task
def refresh_accounts() -> None:
    """Balances, and the names of profiles and workspaces."""
    facts.refresh_all()


@shared_task
def thin_history() -> None:
    """Go on with thinning old history, for a moment; nothing to do for most of each hour."""
    history.work()


@shared_task
def clear_pictures() -> None:
    """Pictures that are too old, or too many for their room, and files that no row points at."""
    retention.work()


@shared_task
def check_budgets() -> None:
    """Warnings of budgets that are due, each once per period."""
    budgets.check(timezone.now())


@shared_task
def prove_books() -> None:
    """Once a day: that every session's bookings add up to its total."""
    proof.prove_daily(timezone.now())


@shared_task
def mail_costs() -> None:
    """Weekly reports of costs that are due, each week of each once."""
    weekly.send_due(timezone.now())


@shared_task
def anchor_audit() -> None:
    """The audit's last hash, to a place outside the database."""
    anchor.drop()
