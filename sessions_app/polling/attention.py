"""Which live sessions need a person: assessed after each sweep, because time alone can make one stall; and who said
that they know of it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q

from sessions_app.live import publish
from sessions_app.models import Account, AgentSession
from sessions_app.polling import writer
from sessions_app.rules import attention as rules
from sessions_app.rules.attention import Entry, Facts
from sessions_app.types import Status


class _Assessed(NamedTuple):
    session_id: int
    standing: list[Entry]
    found: list[Entry]


def acknowledge(session_id: int, by: str, now: datetime, until: datetime | None = None) -> list[str]:
    """What a session needs attention for calls nobody any more: until then, or for as long as it lasts.

    Returns the codes of it, none when it needs no attention.
    """
    return _rewrite(session_id, now, lambda entries: rules.quieten(entries, by, now, until))


def speak_up(session_id: int, now: datetime) -> list[str]:
    """Takes that back.  Returns the codes as well."""
    return _rewrite(session_id, now, rules.speak_up)


def _rewrite(session_id: int, now: datetime, change: Callable[[list[Entry]], list[Entry]]) -> list[str]:
    with transaction.atomic():
        session = AgentSession.objects.select_for_update().only("account_id", "attention").get(pk=session_id)
        found = change(session.attention)
        if found and found != session.attention:
            AgentSession.objects.filter(pk=session_id).update_shown(now, **rules.columns(found))
            publish.changed_on_commit(session.account_id, [session_id])
    return [str(entry["code"]) for entry in found if entry.get("code")]


def refresh(account: Account, now: datetime) -> list[int]:
    """Assess the account's live sessions, and write the entries that changed.  Returns the sessions' ids.

    Only after a successful reading: with upstream down everything would look stalled.
    """
    live = AgentSession.objects.filter(account=account, is_live=True)
    warm = live.filter(status=Status.RUNNING, status_since__lte=now - rules.WARM_AFTER)
    medians = rules.median_burns(warm.values_list("model", "burn_microusd_per_min"))
    rows = live.filter(_suspicious(now)).order_by("pk").values_list("attention", *Facts._fields)
    changed = []
    for standing, *values in rows:
        facts = Facts(*values)
        found = rules.assess(facts, medians, standing, now)
        if found != standing:
            changed.append(_Assessed(facts.id, standing, found))
    return _write(account, changed, now)


def _write(account: Account, assessed: list[_Assessed], now: datetime) -> list[int]:
    if not assessed:
        return []
    with transaction.atomic():
        changed = _still_standing(assessed)
        ids = [one.session_id for one in changed]
        if not ids:
            return []
        rows = [(*rules.columns(one.found).values(), now, one.session_id) for one in changed]
        # A session may have ended since we looked: then it has lost its entries, and gets none.
        names = (*rules.columns([]), "changed_at")
        writer.update(AgentSession, names, rows, raise_by_one="version", only_if="is_live")
        publish.changed_on_commit(account.pk, ids)
    return ids


def _still_standing(assessed: list[_Assessed]) -> list[_Assessed]:
    """Those that nobody has acknowledged since we looked, locked: the others are assessed again after the next sweep."""
    rows = AgentSession.objects.filter(pk__in=[one.session_id for one in assessed])
    standing = dict(rows.order_by("pk").select_for_update().values_list("pk", "attention"))
    return [one for one in assessed if standing.get(one.session_id) == one.standing]


def _suspicious(now: datetime) -> Q:
    """All that could have an entry, or has one.  The rules decide; this spares them the rest."""
    running = Q(status=Status.RUNNING)
    return (
        Q(attention_rank__gt=0)
        | Q(attention_quiet__gt=0)
        | running & Q(progress_at__lte=now - rules.STALLED_AFTER)
        | running & Q(step_repeats__gte=rules.REPEATED_STEPS[0])
        | running & Q(burn_microusd_per_min__gte=rules.LEAST_BURN_MICROUSD_PER_MIN)
        | Q(status=Status.IDLE, status_since__lte=now - rules.IDLE_PAID_AFTER)
        | Q(
            max_cost_microusd__gt=0,
            total_cost_microusd__gte=F("max_cost_microusd") * rules.CAP_PERCENTS[0] / 100,
        )
        | Q(unread_since__lte=now - rules.UNREAD_AFTER)
    )
