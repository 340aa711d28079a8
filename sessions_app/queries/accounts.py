"""Accounts as the settings page shows them: how reading goes, what to do when it does not, who changed what."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet

from sessions_app.models import Account, AgentSession, AuditEntry
from sessions_app.queries import pulse

RESTING, PAUSED = "resting", "paused"
WAITS_FOR_A_PERSON = frozenset({"unauthorized", "payment_required"})
PER_PAGE = 100
SHOWN_CHANGES = 10
ADVICE = {
    "unauthorized": "Nothing is read until the key is good again.",
    "payment_required": "Add credits, or raise the key’s spend limit, at Browser Use Cloud. Reading goes on by itself.",
    "rate_limited": "It goes on by itself, as soon as Browser Use allows.",
    "over_budget": "Its budget of requests is used up: sessions are read by priority until it has grown again.",
    "internal": "Please report it, with the worker’s log.",
}
GOES_ON = "It is tried again by itself. If it stays: is the vendor up, and is the address right?"


class AccountHealth(NamedTuple):
    """An account and how reading it goes.  `state` is `queries.pulse`'s, or paused (by a person), or resting
    (its key is no longer in the environment).  `sessions` and `live` count what we hold."""

    account: Account
    state: str
    sessions: int
    live: int
    next_try_at: datetime | None
    """None: it is due, or being read."""
    twin: str
    """Name of another active account that reads the same project; "" as it should be."""

    @property
    def advice(self) -> str:
        """What to do about its failure."""
        return ADVICE.get(self.account.error_kind, GOES_ON)

    @property
    def wants_key(self) -> bool:
        return self.account.error_kind == "unauthorized" or not self.account.api_key

    @property
    def key_end(self) -> str:
        """The last four of the key, to tell it by; "" of one so short that they would give it away."""
        key = self.account.api_key
        return key[-4:] if len(key) >= 16 else ""

    @property
    def pages(self) -> int:
        """Of the list upstream, as far as it said."""
        return max(1, -(-(self.account.sessions_upstream or 0) // PER_PAGE))

    @property
    def pages_read(self) -> int | None:
        """While every page is being read: how many were.  None when that is done, or not begun."""
        done = self.account.reconcile_page - 1
        return min(done, self.pages) if done > 0 else None


def accounts(now: datetime) -> tuple[AccountHealth, ...]:
    """All of them, those that are read first.  Two queries."""
    found = list(Account.objects.order_by("-is_active", "name", "id"))
    tallies = _tallies(AgentSession.objects.all())
    return tuple(_health(account, tallies, found, now) for account in found)


def account(slug: str, now: datetime) -> AccountHealth | None:
    found = list(Account.objects.all())
    wanted = next((one for one in found if one.slug == slug), None)
    if wanted is None:
        return None
    return _health(wanted, _tallies(AgentSession.objects.filter(account=wanted)), found, now)


def changes(account: Account) -> QuerySet[AuditEntry]:
    """What people did to it lately, newest first."""
    of_accounts = Q(action__startswith="account.") | Q(action__startswith="key.")
    of_accounts |= Q(action__startswith="webhook_secret.")
    return AuditEntry.objects.filter(of_accounts, detail__account=account.slug).order_by("-pk")[
        :SHOWN_CHANGES
    ]


def _tallies(sessions: QuerySet[AgentSession]) -> dict[int, tuple[int, int]]:
    """(all, living) by account.  Two queries, for each of which an index is enough."""
    per_account = sessions.order_by().values_list("account").annotate(Count("pk"))
    living = dict(per_account.filter(is_live=True))
    return {account: (count, living.get(account, 0)) for account, count in per_account}


def _health(
    account: Account, tallies: dict[int, tuple[int, int]], among: Iterable[Account], now: datetime
) -> AccountHealth:
    sessions, live = tallies.get(account.pk, (0, 0))
    due_at = account.next_sweep_at
    next_try_at = due_at if due_at and due_at > now else None
    return AccountHealth(account, _state(account, now), sessions, live, next_try_at, _twin(account, among))


def _state(account: Account, now: datetime) -> str:
    if account.is_active:
        return pulse.state_of(account, now)
    return PAUSED if account.paused_at else RESTING


def _twin(account: Account, among: Iterable[Account]) -> str:
    if not (account.is_active and account.project_id):
        return ""
    same = (one for one in among if one.is_active and one.project_id == account.project_id)
    return next((one.name for one in same if one.pk != account.pk), "")
