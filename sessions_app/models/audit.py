"""Who did what.  Rows are only ever added; nothing in the product changes or deletes one."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One act of a person (or of the product, when `actor` is empty)."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=60, help_text="Dotted: `stop.requested`, `live_view.opened`, …")
    session = models.ForeignKey(
        "sessions_app.AgentSession", on_delete=models.PROTECT, null=True, related_name="+"
    )
    detail = models.JSONField(default=dict)
    chain = models.CharField(max_length=64, help_text="SHA-256 over this entry and the `chain` before it.")

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name or 'watchfloor'} {self.action}"
