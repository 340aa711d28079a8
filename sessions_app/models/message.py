"""What agent and people said in a session, and how far it was read."""

from django.db import models

from .account import Account
from .session import AgentSession


class Message(models.Model):
    """One message, cut to a readable size.  No address that opens something is kept in it."""

    session = models.ForeignKey(
        AgentSession, on_delete=models.CASCADE, db_index=False, related_name="messages"
    )
    vendor_id = models.CharField(max_length=64, help_text="Upstream's id, and the cursor of its list.")
    at_ms = models.BigIntegerField(help_text="`createdAt`, Unix milliseconds; else when it was read.")
    role = models.CharField(max_length=32, blank=True, help_text="As it came: human, ai, …")
    kind = models.CharField(max_length=64, blank=True, help_text="`type`, as it came.")
    summary = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True, help_text="`data`, cut to rules.messages.longest_of(kind).")
    characters = models.IntegerField(default=0, help_text="Of `data` before it was cut.")
    is_error = models.BooleanField(default=False)
    is_hidden = models.BooleanField(default=False, help_text="Upstream wants it left out of chats.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "vendor_id"], name="message_once")]
        indexes = [models.Index(fields=["session", "-at_ms", "-id"], name="message_log")]

    def __str__(self) -> str:
        return f"{self.kind or self.role} of session {self.session_id}"


class MessageLog(models.Model):
    """How far a session's messages were read.  `due_at` is claim and pause in one."""

    session = models.OneToOneField(
        AgentSession, on_delete=models.CASCADE, primary_key=True, related_name="message_log"
    )
    cursor = models.CharField(max_length=64, blank=True, help_text="Upstream's id of the last one read.")
    due_at = models.DateTimeField(null=True, help_text="Not to be read before.")
    read_at = models.DateTimeField(
        null=True, help_text="Start of the last reading of the log that succeeded."
    )
    is_whole = models.BooleanField(default=False, help_text="Read to its end at `read_at`.")
    dropped = models.IntegerField(default=0, help_text="Oldest ones that were not kept.")
    failures = models.SmallIntegerField(default=0, help_text="In a row.")
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True, help_text="In words.")

    def __str__(self) -> str:
        return f"message log of session {self.session_id}"


class MessageAccess(models.Model):
    """Whether an account's messages can be read at all: one that refuses is not asked every second."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="message_access"
    )
    begins = models.CharField(
        max_length=8, blank=True, help_text="What a reading without a cursor begins with: oldest or newest."
    )
    refused = models.IntegerField(default=0, help_text="Readings in a row that upstream refused.")
    paused_until = models.DateTimeField(null=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True, help_text="In words.")

    def __str__(self) -> str:
        return f"access to messages of {self.account_id}"
