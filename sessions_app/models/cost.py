"""When money was spent: the vendor only has a running total, so we book its rises."""

from django.db import models

from .session import AgentSession


class CostHour(models.Model):
    """What one session was seen to spend in one hour.

    Written in the transaction of the snapshot, so the sum over a session's hours is its last total, to
    the micro-dollar.  What was spent before we first looked is booked to the hour of the vendor's `updatedAt`.
    """

    pk = models.CompositePrimaryKey("session_id", "hour")
    session = models.ForeignKey(
        AgentSession, on_delete=models.CASCADE, db_index=False, related_name="cost_hours"
    )
    hour = models.IntegerField(db_index=True, help_text="Whole hours since 1970, UTC.")
    llm_microusd = models.BigIntegerField(default=0)
    proxy_microusd = models.BigIntegerField(default=0)
    browser_microusd = models.BigIntegerField(default=0)
    total_microusd = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"session {self.session_id}, hour {self.hour}"
