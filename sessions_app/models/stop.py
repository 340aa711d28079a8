"""A stop is a process, not a call: the intention, every attempt, and the proof."""

from django.conf import settings
from django.db import models

from .session import AgentSession


class StopState(models.TextChoices):
    """The states of `docs/stops.md`.  Open ones are worked on until they end."""

    REQUESTED = "requested", "Asked for"
    SENDING = "sending", "Being sent"
    VERIFYING = "verifying", "Accepted, being checked"
    UNKNOWN = "unknown", "Sent, no answer: being checked"
    CONFIRMED = "confirmed", "Confirmed"
    MOOT = "moot", "It was so already"
    REJECTED = "rejected", "Refused upstream"
    FAILED = "failed", "Not confirmed"
    CANCELLED = "cancelled", "Withdrawn"


OPEN_STATES = (StopState.REQUESTED, StopState.SENDING, StopState.VERIFYING, StopState.UNKNOWN)


class StopRequest(models.Model):
    """Somebody asked for a stop.  The row is its own queue: `state`, `due_at` and `lease_until`."""

    STRATEGIES = (("task", "Stop task"), ("session", "End session"))

    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="stops")
    strategy = models.CharField(max_length=16, choices=STRATEGIES)
    state = models.CharField(max_length=16, choices=StopState, default=StopState.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=150, help_text="As it was at the click.")
    reason = models.CharField(max_length=500, blank=True)
    escalate = models.BooleanField(
        default=False,
        db_default=False,
        help_text="End the session if the task goes on; once, then it is off.",
    )
    requested_at = models.DateTimeField()
    steps_at_click = models.BigIntegerField(default=0)
    cost_at_click_microusd = models.BigIntegerField(null=True)
    burn_at_click_microusd_per_min = models.BigIntegerField(default=0)
    status_at_click = models.CharField(max_length=64, blank=True)
    known_at = models.DateTimeField(null=True, help_text="The session's `updatedAt` as shown at the click.")

    due_at = models.DateTimeField(help_text="When the next thing is to be done about it.")
    lease_until = models.DateTimeField(null=True)
    lease_by = models.CharField(max_length=120, default="", db_default="", help_text="See `models.lease`.")
    sent_at = models.DateTimeField(null=True, help_text="Begin of the last POST that may have arrived.")
    task_message = models.CharField(
        max_length=80, blank=True, help_text="The task's user_message at the first send: which task is meant."
    )
    read_to_message = models.CharField(max_length=80, blank=True, help_text="Up to where messages were read.")
    missing_since = models.DateTimeField(null=True, help_text="Since when reading the session answers 404.")
    accepted_at = models.DateTimeField(null=True, help_text="When upstream answered 2xx.")
    attempts_made = models.IntegerField(default=0)
    satisfied_at = models.DateTimeField(null=True, help_text="Begin of the first read that showed it done.")

    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=500, blank=True, help_text="In words.")
    steps_at_proof = models.BigIntegerField(null=True)
    cost_at_proof_microusd = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "strategy"],
                condition=models.Q(state__in=["requested", "sending", "verifying", "unknown"]),
                name="one_open_stop",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["requested", "sending", "verifying", "unknown"]),
                name="stop_due",
            ),
            models.Index(fields=["-requested_at", "-id"], name="stop_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_strategy_display()} of {self.session_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class StopAttempt(models.Model):
    """One POST to the vendor, written before it was sent."""

    stop = models.ForeignKey(StopRequest, on_delete=models.CASCADE, related_name="attempts")
    number = models.IntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    answer = models.CharField(
        max_length=40, blank=True, help_text="Of rules.stopping.Outcome; empty: under way."
    )
    detail = models.CharField(max_length=500, blank=True, help_text="The answer in words, redacted.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stop", "number"], name="attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of stop {self.stop_id}: {self.answer or 'under way'}"
