"""History: what a session looked like each time it changed in a way that matters."""

from django.db import models

from .session import AgentSession


class Snapshot(models.Model):
    """One change.  Integers only: a thousand live sessions write tens of millions of these a month."""

    pk = models.CompositePrimaryKey("session_id", "at_ms")
    session = models.ForeignKey(
        AgentSession, on_delete=models.CASCADE, db_index=False, related_name="snapshots"
    )
    at_ms = models.BigIntegerField(help_text="When the request began, Unix milliseconds.")
    status_code = models.SmallIntegerField(help_text="Index into rules.history.STATUS_CODES.")
    step_count = models.BigIntegerField()
    llm_cost_microusd = models.BigIntegerField(null=True)
    proxy_cost_microusd = models.BigIntegerField(null=True)
    browser_cost_microusd = models.BigIntegerField(null=True)
    total_cost_microusd = models.BigIntegerField(null=True)
    tokens_in = models.BigIntegerField()
    tokens_out = models.BigIntegerField()

    def __str__(self) -> str:
        return f"session {self.session_id} at {self.at_ms}"


class Step(models.Model):
    """The summary of a step, kept once however many snapshots were taken during it."""

    pk = models.CompositePrimaryKey("session_id", "number")
    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, db_index=False, related_name="steps")
    number = models.BigIntegerField(help_text="`stepCount` when it was read.")
    at_ms = models.BigIntegerField()
    text = models.CharField(max_length=1000)

    def __str__(self) -> str:
        return f"step {self.number} of session {self.session_id}"
