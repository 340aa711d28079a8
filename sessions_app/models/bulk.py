"""Many stops at once: a list that was frozen at the click, and what became of each of its items."""

from django.conf import settings
from django.db import models
from django.urls import reverse

from .session import AgentSession
from .stop import StopRequest


class BulkStop(models.Model):
    """A frozen list of sessions.  Until `asked_at` it is a draft that only its maker sees; nothing is sent for it."""

    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    made_by_name = models.CharField(max_length=150, help_text="As it was at the click.")
    scope = models.CharField(max_length=500, help_text="In words: what the list was made from.")
    is_everything = models.BooleanField(default=False)
    left_out = models.IntegerField(default=0, help_text="How many more there were, past the cap.")
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="retries")
    asked_at = models.DateTimeField(null=True)
    strategy = models.CharField(max_length=16, blank=True, choices=StopRequest.STRATEGIES)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-asked_at"], name="bulk_newest")]

    def __str__(self) -> str:
        return f"bulk {self.pk}: {self.scope}"

    def get_absolute_url(self) -> str:
        return reverse("bulk_stop", args=[self.pk])


class BulkItem(models.Model):
    """One session of a bulk: waiting until it has a `stop` or words why it was skipped."""

    bulk = models.ForeignKey(BulkStop, on_delete=models.CASCADE, related_name="items")
    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="+")
    stop = models.ForeignKey(StopRequest, on_delete=models.CASCADE, null=True, related_name="bulk_items")
    joined = models.BooleanField(default=False, help_text="Somebody had asked for the same stop already.")
    skipped = models.CharField(max_length=200, blank=True, help_text="Why nothing was asked for, in words.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bulk", "session"], name="once_in_a_bulk")]
        indexes = [
            models.Index(fields=["bulk"], condition=models.Q(stop=None, skipped=""), name="bulk_item_waiting")
        ]

    def __str__(self) -> str:
        return f"session {self.session_id} in bulk {self.bulk_id}"
