"""A report of costs that somebody wants by mail."""

from django.conf import settings
from django.db import models


class CostReport(models.Model):
    """What the costs page shows for a week, each Monday, to one address.  The row is its own queue."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cost_reports")
    name = models.CharField(max_length=60)
    to = models.EmailField()
    query = models.CharField(
        max_length=1000, blank=True, help_text="Filters, as the page's address has them."
    )
    zone = models.CharField(max_length=64, default="UTC", help_text="Whose days and weeks.")
    made_at = models.DateTimeField()
    sent_week = models.DateField(
        help_text="Monday of the last week that was sent, or that came before it was made."
    )
    sent_at = models.DateTimeField(null=True)
    tried_until = models.DateTimeField(
        null=True, help_text="Somebody sends it, or it failed: not again before."
    )
    error = models.CharField(max_length=300, blank=True, help_text="Why the last attempt failed, in words.")

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
