"""Everybody's turn: one account after the other, until none is due."""

import time

from django.utils import timezone

from sessions_app.polling import schedule
from sessions_app.polling.sweep import sweep

LONGEST_S = 15.0
"""Then the next tick goes on: a task must be over long before its time limit."""


def sweep_due_accounts() -> int:
    """Sweep whoever is due and not being swept.  Returns how many."""
    until = time.monotonic() + LONGEST_S
    swept = 0
    while time.monotonic() < until and (account := schedule.claim_next(timezone.now())):
        sweep(account)
        swept += 1
    return swept
