"""How an account's balance moved: the other side of what its sessions are said to have cost."""

from django.db import models

from .account import Account


class BalanceHour(models.Model):
    """By how much it fell and rose within one hour, as far as successive readings show.

    Hours in which it was read have a row, whether it moved or not; a fall between two readings belongs to the hour
    of the later one.  A rise is mostly a payment.
    """

    pk = models.CompositePrimaryKey("account_id", "hour")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_index=False, related_name="balance_hours"
    )
    hour = models.IntegerField(help_text="Whole hours since 1970, UTC.")
    fell_microusd = models.BigIntegerField(default=0)
    rose_microusd = models.BigIntegerField(default=0)
    closing_microusd = models.BigIntegerField(help_text="As last read in this hour.")
    read_at = models.DateTimeField(help_text="When that was.")

    def __str__(self) -> str:
        return f"balance of account {self.account_id}, hour {self.hour}"
