"""Filters that somebody wants to come back to."""

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A page's query under a name.  Its owner's alone, unless shared with everybody."""

    LIVE, SESSIONS = "live", "sessions"
    PAGES = ((LIVE, "Live"), (SESSIONS, "Sessions"))

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    page = models.CharField(max_length=16, choices=PAGES)
    query = models.CharField(max_length=2000, blank=True, help_text="As the address has it, without paging.")
    is_shared = models.BooleanField(default=False, help_text="Everybody has it in their row.")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "page", "name"], name="view_name_once")]

    def __str__(self) -> str:
        return self.name
