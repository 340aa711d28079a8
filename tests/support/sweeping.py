"""Sweeping an account in a test, now, whatever the timetable says."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling import schedule
from sessions_app.polling.sweep import sweep


def account_of(sim: Any, **columns: Any) -> Account:
    """An account of that simulator's."""
    given = {"slug": "sim", "name": "Simulator", "base_url": sim.base_url, "api_key": sim.key, **columns}
    return Account.objects.create(**given)


def swept(account: Account) -> Account:
    """Claim and sweep it, due or not.  Returns the account as it is then."""
    Account.objects.filter(pk=account.pk).update(next_sweep_at=None)
    account.refresh_from_db()
    assert schedule.claim(account, timezone.now())
    sweep(account)
    account.refresh_from_db()
    return account


def pause_s(account: Account) -> float:
    """Seconds from now until it is due again."""
    assert account.next_sweep_at
    return (account.next_sweep_at - timezone.now()).total_seconds()


def row_of(upstream: Any) -> AgentSession:
    """Our row of the simulator's session."""
    return AgentSession.objects.get(uuid=upstream.id)


def backdate(**ages_s: float) -> None:
    """Set columns of all sessions to so many seconds ago."""
    now = timezone.now()
    AgentSession.objects.update(**{name: now - timedelta(seconds=age) for name, age in ages_s.items()})
