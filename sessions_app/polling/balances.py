"""Keeps by how much a balance fell and rose, hour by hour, from one reading to the next."""

from datetime import datetime

from django.db import transaction

from sessions_app.models import Account, BalanceHour
from sessions_app.rules.history import to_hour

LARGEST = 2**63 - 1
"""What a column takes.  A vendor whose balance jumps by more than that is not to break the round of all accounts."""


def note(account_pk: int, balance_microusd: int, read_at: datetime) -> None:
    """A balance as read by a request that began at `read_at`.  An answer older than the last one changes nothing."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account_pk)  # two readings never count from the same one
        known = BalanceHour.objects.filter(account_id=account_pk)
        last = known.order_by("-hour").first()
        if last and read_at <= last.read_at:
            return
        rise = balance_microusd - last.closing_microusd if last else 0
        hour = known.filter(hour=to_hour(read_at)).first() or BalanceHour(
            account_id=account_pk, hour=to_hour(read_at)
        )
        hour.fell_microusd = min(hour.fell_microusd + max(-rise, 0), LARGEST)
        hour.rose_microusd = min(hour.rose_microusd + max(rise, 0), LARGEST)
        hour.closing_microusd, hour.read_at = balance_microusd, read_at
        hour.save()
