"""Keeping what is stored small: each pass over it is a row, which is its claim, its memory and its report in one."""

from django.db import models
from django.db.models import Q


class UpkeepPass(models.Model):
    """One walk over everything of a kind.  A worker that dies leaves `place`; whoever comes next goes on from there."""

    HISTORY, PICTURES = "history", "pictures"

    kind = models.CharField(max_length=16, choices=[(HISTORY, "History"), (PICTURES, "Pictures")])
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True, help_text="Set while a worker is at it.")
    place = models.BigIntegerField(default=0, help_text="Id of the last row that is done with.")
    full_until_ms = models.BigIntegerField(default=0, help_text="History older than that is thinned.")
    fine_until_ms = models.BigIntegerField(default=0, help_text="And older than that, to one an hour.")
    looked_at = models.BigIntegerField(default=0, help_text="Rows that were old enough to be judged.")
    deleted = models.BigIntegerField(default=0)
    texts_deleted = models.BigIntegerField(default=0, help_text="Summaries of steps that no row needs.")
    freed_bytes = models.BigIntegerField(default=0)
    stored_bytes = models.BigIntegerField(null=True, help_text="What pictures took at its end.")
    note = models.CharField(max_length=500, blank=True, help_text="In words, what a person should know.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(finished_at__isnull=True), name="one_open_pass"
            )
        ]
        indexes = [models.Index(fields=["kind", "-id"], name="pass_newest")]

    def __str__(self) -> str:
        return f"{self.kind} pass of {self.started_at:%Y-%m-%d %H:%M}"
