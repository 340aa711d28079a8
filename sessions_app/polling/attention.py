"""Which live sessions need a person: assessed after each sweep, because time alone can make one stall."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from sessions_app.live import publish
from sessions_app.models import Account, AgentSession
from sessions_app.polling import writer
from sessions_app.rules import attention as rules
from sessions_app.rules.attention import Facts
from sessions_app.types import Status

COLUMNS = ("attention", "attention_rank")


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
            changed.append((found, rules.rank(found), facts.id))
    return _write(account, changed, now)


def _write(account: Account, changed: list[tuple[list, int, int]], now: datetime) -> list[int]:
    if not changed:
        return []
    with transaction.atomic():
        ids = [pk for _, _, pk in changed]
        writer.lock(AgentSession, ids)
        rows = [(found, rank, now, pk) for found, rank, pk in changed]
        # A session may have ended since we looked: then it has lost its entries, and gets none.
        writer.update(AgentSession, (*COLUMNS, "changed_at"), rows, raise_by_one="version", only_if="is_live")
        publish.changed_on_commit(account.pk, ids)
    return ids


def _suspicious(now: datetime) -> Q:
    """All that could have an entry, or has one.  The rules decide; this spares them the rest."""
    running = Q(status=Status.RUNNING)
    return (
        Q(attention_rank__gt=0)
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
