"""Pictures: presigned URLs die after five minutes, so the bytes are kept."""

from django.db import models

from .session import AgentSession


class Screenshot(models.Model):
    """A picture of a session, stored by content: `<hash>.webp` and `<hash>.thumb.webp`."""

    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="screenshots")
    taken_at = models.DateTimeField()
    step_count = models.BigIntegerField()
    content_hash = models.CharField(max_length=64, db_index=True)
    width = models.IntegerField()
    height = models.IntegerField()
    stored_bytes = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["session", "taken_at"], name="screenshot_film")]

    def __str__(self) -> str:
        return f"{self.content_hash[:12]} of session {self.session_id}"
