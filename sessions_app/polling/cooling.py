"""A burn rate only moves when an answer differs.  A session that stands still must not seem to spend for ever."""

from datetime import datetime, timedelta

from django.db import transaction

from sessions_app.live import publish
from sessions_app.models import Account, AgentSession
from sessions_app.polling import writer
from sessions_app.rules.burn import updated_burn

QUIET_FOR = timedelta(minutes=2)
NOTHING_BELOW_MICROUSD_PER_MIN = 100


def cool(account: Account, now: datetime) -> list[int]:
    """Lower the rates of those that have spent nothing for a while.  Returns the sessions' ids."""
    quiet = AgentSession.objects.filter(
        account=account, is_live=True, burn_microusd_per_min__gt=0, burn_at__lte=now - QUIET_FOR
    )
    if not quiet.exists():
        return []
    with transaction.atomic():
        # Locked, in the order in which everybody locks; an answer that comes meanwhile knows better.
        locked = quiet.order_by("pk").select_for_update()
        rows = list(locked.values_list("pk", "burn_microusd_per_min", "burn_at", "status_since"))
        writer.update(
            AgentSession,
            ("burn_microusd_per_min", "burn_at", "changed_at"),
            [(_cooled(burn, burn_at, now, began), now, now, pk) for pk, burn, burn_at, began in rows],
            raise_by_one="version",
            only_if="is_live",
        )
        ids = [row[0] for row in rows]
        publish.changed_on_commit(account.pk, ids)
    return ids


def _cooled(burn: int, burn_at: datetime, now: datetime, began: datetime) -> int:
    cooled = updated_burn(burn, 0, burn_at, now, began)
    return 0 if cooled < NOTHING_BELOW_MICROUSD_PER_MIN else cooled
