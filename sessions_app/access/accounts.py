"""Accounts as people change them in the settings page: each change with its audit entry, in one transaction.

Whoever adds or changes a key has looked what it opens before (`key_check`): no HTTP happens in here.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from sessions_app.access import audit
from sessions_app.access.key_check import Opened
from sessions_app.live import publish
from sessions_app.models import Account, AgentSession
from sessions_app.models.account import ENVIRONMENT_PREFIX, SIMULATOR_SLUG

READ_AT_ONCE: dict[str, Any] = {"next_sweep_at": None, "next_reconcile_at": None, "facts_due_at": None}
WELL_AGAIN: dict[str, Any] = {"failing_since": None, "failures": 0, "error_kind": "", "error": ""}


TAKEN = {SIMULATOR_SLUG, "add"}
"""No account is called so: the first is the environment's, the second an address of the settings."""


class Clash(Exception):
    """It cannot be as asked, because of another account.  `words` says which, and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def add(actor: User, *, name: str, base_url: str, api_key: str, opened: Opened, now: datetime) -> Account:
    """A new account, read from now on.  Raises Clash."""
    with transaction.atomic():
        audit.one_at_a_time()  # two people may add the same key at the same moment
        _check_free(None, api_key, opened)
        account = Account.objects.create(
            slug=_free_slug(name), name=name, base_url=base_url, api_key=api_key, key_set_at=now, **_seen(opened)
        )  # fmt: skip
        _record(actor, "account.added", account, address=base_url, project=opened.project_id)
    return account


def change_key(actor: User, account: Account, *, api_key: str, opened: Opened, now: datetime) -> None:
    """A new key for the same project.  Raises Clash."""
    with transaction.atomic():
        audit.one_at_a_time()
        _check_same_project(account, api_key, opened)
        _check_free(account, api_key, opened)
        changes = _seen(opened) | READ_AT_ONCE | WELL_AGAIN
        _update(account, api_key=api_key, key_set_at=now, **changes)
        _record(actor, "key.rotated", account, project=opened.project_id)


def rename(actor: User, account: Account, name: str) -> None:
    with transaction.atomic():
        before = account.name
        _update(account, name=name)
        _show_again(account)
        _record(actor, "account.renamed", account, before=before)


def _show_again(account: Account) -> None:
    """Rows are kept as they were rendered: those of live sessions carry the new name now, others when they change."""
    live = AgentSession.objects.filter(account=account, is_live=True)
    shown = list(live.values_list("pk", flat=True))
    live.update_shown(timezone.now())
    publish.changed_on_commit(account.pk, shown)


def pause(actor: User, account: Account, now: datetime) -> bool:
    """Nobody reads it from now on, also after a restart; False when it was not read anyway."""
    with transaction.atomic():
        if not Account.objects.filter(pk=account.pk, is_active=True).update(is_active=False, paused_at=now):
            return False
        _record(actor, "account.paused", account)
    return True


def resume(actor: User, account: Account) -> bool:
    """Read it again; False when nobody had paused it."""
    with transaction.atomic():
        paused = Account.objects.filter(pk=account.pk, is_active=False, paused_at__isnull=False)
        if not paused.update(is_active=True, paused_at=None, **READ_AT_ONCE):
            return False
        _record(actor, "account.resumed", account)
    return True


def set_webhook_secret(actor: User, account: Account, secret: str) -> None:
    """The empty one: webhooks are no longer believed.  What was refused before says nothing about the new one."""
    with transaction.atomic():
        action = "webhook_secret.changed" if secret else "webhook_secret.removed"
        _update(account, webhook_secret=secret, webhook_refused_at=None, webhook_refusal="")
        _record(actor, action, account)


def tested(actor: User, account: Account, opened: Opened) -> None:
    """Its key was tried and is good: what it said is stored, and the account is read at once."""
    with transaction.atomic():
        _update(account, next_sweep_at=None, facts_due_at=None)
        _record(actor, "account.tested", account, project=opened.project_id)


def _update(account: Account, **columns: Any) -> None:
    """Only these columns: the poller writes others at the same time."""
    Account.objects.filter(pk=account.pk).update(**columns)
    for column, value in columns.items():
        setattr(account, column, value)


def _record(actor: User, action: str, account: Account, **detail: Any) -> None:
    """Last in its transaction.  Open pages learn of it when it is true."""
    audit.record(actor, action, account=account.slug, name=account.name, **detail)
    transaction.on_commit(lambda: publish.swept(account.pk), robust=True)


def _seen(opened: Opened) -> dict[str, Any]:
    """What was learned on the way, as columns; what the vendor did not say stays as it is."""
    said = {
        "project_id": opened.project_id,
        "project_name": opened.project_name,
        "balance_microusd": opened.balance_microusd,
        "concurrent_browsers": opened.concurrent_browsers,
    }
    return {column: value for column, value in said.items() if value not in (None, "")}


def _check_same_project(account: Account, api_key: str, opened: Opened) -> None:
    if account.api_key == api_key:
        raise Clash("That is the key in use already. Nothing was changed.")
    if account.project_id and opened.project_id and account.project_id != opened.project_id:
        raise Clash(
            f"This key opens another project ({_called(opened)}), not {account.project_name or account.project_id}. "
            "Add it as an account of its own: the sessions here belong to the old project."
        )


def _check_free(account: Account | None, api_key: str, opened: Opened) -> None:
    """A session belongs to one account: no two may read the same project.  Those that rest for good don't count."""
    for other in Account.objects.exclude(pk=account.pk if account else 0):
        rests = not other.is_active and other.paused_at is None
        if other.api_key == api_key and not rests:
            raise Clash(f"The account “{other.name}” has this key already. {_instead(other)}")
        if opened.project_id and other.project_id == opened.project_id and not rests:
            raise Clash(
                f"This key opens the project {_called(opened)}, which is on the floor as “{other.name}” already. "
                + _instead(other)
            )


def _instead(other: Account) -> str:
    if other.paused_at is not None:
        return "It is paused: resume it."
    if other.comes_from_environment:
        return "Its key comes from the environment, and is changed there."
    return "To give that account a new key, change it there."


def _called(opened: Opened) -> str:
    return f"“{opened.project_name}”" if opened.project_name else opened.project_id


def _free_slug(name: str) -> str:
    """From the name, for good: webhooks are sent to it.  Never one of the environment's."""
    stem = slugify(name)[:60].strip("-_") or "account"
    if stem in TAKEN or stem.startswith(ENVIRONMENT_PREFIX):
        stem = f"account-{stem}"
    taken = set(Account.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return stem if stem not in taken else next(slug for slug in numbered if slug not in taken)
