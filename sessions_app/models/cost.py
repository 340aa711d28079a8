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
    idle_microusd = models.BigIntegerField(
        default=0, help_text="Of the total: while it waited for a task, as far as we saw."
    )

    def __str__(self) -> str:
        return f"session {self.session_id}, hour {self.hour}"


class BooksProof(models.Model):
    """That somebody, or the timetable, added up the bookings of every session, and what came of it."""

    begun_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, help_text="Empty: under way, or cut short.")
    sessions = models.BigIntegerField(default=0)
    wrong = models.CharField(max_length=300, blank=True, help_text="In words; empty: all add up.")

    def __str__(self) -> str:
        return f"books on {self.begun_at:%Y-%m-%d %H:%M}: {self.wrong or 'right'}"
