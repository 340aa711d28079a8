"""What is true of an account as a whole: its balance, its project, the names of its profiles and workspaces."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sessions_app.live import publish
from sessions_app.models import Account, UpstreamName
from sessions_app.polling import balances
from sessions_app.polling.clients import client_of
from sessions_app.types import AccountFacts, NamedThing
from sessions_app.upstream.client import Client
from sessions_app.upstream.errors import OverBudget, UpstreamError

log = logging.getLogger(__name__)

FACTS_EVERY = timedelta(seconds=25)
NAMES_EVERY = timedelta(minutes=5)
AGAIN_AFTER = timedelta(minutes=2)
"""After a failure, or when whoever asked was killed."""
LEFT_TO_THE_SWEEP = ("unauthorized", "not_sent", "timed_out")
"""Of accounts that fail so nothing is asked here: the sweep notices when they are well again."""
AT_ONCE = 8
LONGEST_S = 12.0
"""A round is over by then: an account that hangs has had its 10 seconds, and pictures wait in the same queue."""


class Told(NamedTuple):
    """What an account said.  None is what it was not asked for; `error` what went wrong, if something did."""

    facts: AccountFacts | None = None
    profiles: list[NamedThing] | None = None
    workspaces: list[NamedThing] | None = None
    error: str = ""


def refresh_all() -> None:
    """Of every active account what is older than it may be, side by side: one that hangs delays no other.

    A failure leaves the old, with its age.
    """
    now = timezone.now()
    claimed = [account for account in _due(now) if _claim(account, now)]
    if not claimed:
        return
    threads = ThreadPoolExecutor(min(AT_ONCE, len(claimed)), thread_name_prefix="facts")
    asked = {
        threads.submit(_ask, client_of(one, "facts"), names=_wants_names(one, now)): one for one in claimed
    }
    for future in _finished(asked):
        told = future.result()
        _take(asked[future], told, now)
    threads.shutdown(wait=False, cancel_futures=True)  # those that hang end by their own deadline


def _due(now: datetime) -> QuerySet[Account]:
    waits = Q(facts_due_at=None) | Q(facts_due_at__lte=now)
    hopeless = Q(failing_since__isnull=False, error_kind__in=LEFT_TO_THE_SWEEP)
    due = Account.objects.filter(waits, is_active=True).exclude(hopeless)
    return due.order_by(F("facts_due_at").asc(nulls_first=True), "pk")


def _claim(account: Account, now: datetime) -> bool:
    """Ours, until it is due again: two workers don't ask the same."""
    ours = Account.objects.filter(pk=account.pk, facts_due_at=account.facts_due_at)
    return bool(ours.update(facts_due_at=now + AGAIN_AFTER))


def _wants_names(account: Account, now: datetime) -> bool:
    return account.names_read_at is None or now - account.names_read_at >= NAMES_EVERY


def _ask(client: Client, *, names: bool) -> Told:
    """In a thread: HTTP only, no database."""
    told = Told()
    try:
        told = told._replace(facts=client.account())
        if names:
            told = told._replace(profiles=client.profiles(), workspaces=client.workspaces())
    except OverBudget:
        return told  # sweeps go first: soon again, without a word
    except UpstreamError as error:
        return told._replace(error=error.words)
    except Exception as error:
        log.exception("balance or names: we failed ourselves")
        return told._replace(error=f"Watchfloor itself failed ({type(error).__name__}).")
    return told


def _finished(asked: Iterable[Future[Told]]) -> Iterator[Future[Told]]:
    """As they come in, until the round is over."""
    try:
        yield from as_completed(asked, timeout=LONGEST_S)
    except TimeoutError:
        log.warning("balances: not every account answered within %g s", LONGEST_S)


def _take(account: Account, told: Told, asked_at: datetime) -> None:
    if told.facts is not None:
        _store_facts(account, told.facts, asked_at)
    if told.profiles is not None and told.workspaces is not None:
        _store(account, UpstreamName.PROFILE, told.profiles)
        _store(account, UpstreamName.WORKSPACE, told.workspaces)
        Account.objects.filter(pk=account.pk).update(names_read_at=asked_at)
    if not told.error:
        Account.objects.filter(pk=account.pk).update(facts_due_at=asked_at + FACTS_EVERY)
    else:
        log.warning("account %s: balance or names not read: %s", account.slug, told.error)


def _store_facts(account: Account, facts: AccountFacts, asked_at: datetime) -> None:
    if facts.balance_microusd is not None:
        balances.note(account.pk, facts.balance_microusd, asked_at)
    Account.objects.filter(pk=account.pk).update(
        project_id=facts.project_id,
        project_name=facts.name,
        balance_microusd=facts.balance_microusd,
        balance_read_at=asked_at,
        concurrent_browsers=facts.concurrent_browsers,
    )
    publish.swept(account.pk)


def _store(account: Account, kind: str, things: Iterable[NamedThing]) -> None:
    """Names that are gone upstream stay: old sessions point at them."""
    stored = {
        row.uuid: (row.name, row.customer_id)
        for row in UpstreamName.objects.filter(account=account, kind=kind)
    }
    fresh = [
        UpstreamName(
            account=account,
            kind=kind,
            uuid=thing.uuid,
            name=thing.name[:300],
            customer_id=thing.customer_id[:300],
        )
        for thing in things
    ]
    UpstreamName.objects.bulk_create(
        [row for row in fresh if stored.get(row.uuid) != (row.name, row.customer_id)],
        update_conflicts=True,
        unique_fields=["account", "kind", "uuid"],
        update_fields=["name", "customer_id"],
    )
