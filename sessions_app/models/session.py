"""A session of the vendor's, as last read, with what we learned by watching it."""

from datetime import datetime

from django.db import models
from django.db.models import F
from django.urls import reverse

from sessions_app.types import FINAL_STATUSES

from .account import Account
from .fields import EncryptedTextField

TASK_AS_NAME = 200
"""Letters of its task that name a session without a title."""


class SessionQuerySet(models.QuerySet["AgentSession"]):
    def update_shown(self, now: datetime, **columns: object) -> int:
        """`update` for columns that a page shows: the version rises, so caches and open screens notice.

        Whoever calls it also calls `live.publish.changed_on_commit`, in the same transaction.
        """
        return self.update(version=F("version") + 1, changed_at=now, **columns)


class AgentSession(models.Model):
    """One browser agent session.  Slim on purpose: lists read it; the bulk lies in `SessionDetail`.

    Vendor's facts keep the vendor's meaning; `None` is "not said or not readable".
    `version` rises with each change that a page could show: caches and the live push go by it.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sessions")
    uuid = models.UUIDField(unique=True)
    status = models.CharField(max_length=64)
    model = models.CharField(max_length=128, blank=True)
    title = models.CharField(max_length=500, blank=True)
    last_step = models.CharField(max_length=1000, blank=True)
    step_count = models.BigIntegerField(default=0)
    is_task_successful = models.BooleanField(null=True)
    profile_id = models.UUIDField(null=True)
    workspace_id = models.UUIDField(null=True)
    proxy_country = models.CharField(max_length=64, blank=True)
    max_cost_microusd = models.BigIntegerField(null=True)
    llm_cost_microusd = models.BigIntegerField(null=True)
    proxy_cost_microusd = models.BigIntegerField(null=True)
    browser_cost_microusd = models.BigIntegerField(null=True)
    total_cost_microusd = models.BigIntegerField(null=True)
    tokens_in = models.BigIntegerField(default=0)
    tokens_out = models.BigIntegerField(default=0)
    proxy_used_bytes = models.BigIntegerField(null=True)
    has_live_url = models.BooleanField(default=False)
    has_screenshot = models.BooleanField(default=False, help_text="Upstream offers a picture.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(null=True)

    # How we know it.
    digest = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=1)
    observed_at = models.DateTimeField(help_text="When the request began whose answer this is.")
    changed_at = models.DateTimeField(db_index=True, help_text="Our clock, at the last change of `version`.")
    first_seen_at = models.DateTimeField()
    oddities = models.JSONField(
        default=list, blank=True, help_text="Fields off the contract: [[field, raw], …]."
    )

    # What watching taught us.
    is_live = models.BooleanField(default=True, help_text="Neither ended nor gone.")
    status_since = models.DateTimeField(help_text="Since when it has had this status, as far as we saw.")
    progress_at = models.DateTimeField(help_text="When steps or cost last moved.")
    step_repeats = models.IntegerField(default=0, help_text="Steps in a row with the same summary.")
    burn_microusd_per_min = models.BigIntegerField(default=0)
    burn_at = models.DateTimeField(help_text="When the burn rate last took in an observation.")
    ended_at = models.DateTimeField(null=True, help_text="When we saw it ended; the vendor does not say.")
    unread_since = models.DateTimeField(null=True, help_text="Reading just this one fails since then.")
    missing_since = models.DateTimeField(null=True, help_text="Upstream answered 404 once.")
    gone_at = models.DateTimeField(null=True, help_text="Deleted upstream, confirmed by two reads.")
    attention = models.JSONField(
        default=list, blank=True, help_text="[{code, since, …, quiet?}], worst first."
    )
    attention_rank = models.SmallIntegerField(
        default=0, help_text="0 fine, or all of it acknowledged; higher is worse."
    )
    attention_quiet = models.SmallIntegerField(
        default=0, db_default=0, help_text="How many of the reasons somebody has acknowledged or snoozed."
    )
    stopping = models.CharField(max_length=16, blank=True, help_text="Strategy of the open stop, if any.")
    picture = models.CharField(max_length=64, blank=True, help_text="Content hash of the last picture.")
    picture_at = models.DateTimeField(null=True, help_text="When that picture was fetched.")
    picture_tried_at = models.DateTimeField(null=True, help_text="Last attempt, successful or not.")
    task = models.TextField(
        blank=True, default="", help_text="What it was told to do: its first user message, cut."
    )
    task_wanted = models.BooleanField(default=True, help_text="Nobody has read its first message yet.")

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "-attention_rank", "-created_at"],
                condition=models.Q(is_live=True),
                name="session_live",
            ),
            models.Index(
                fields=["account", "-ended_at"],
                condition=models.Q(ended_at__isnull=False),
                name="session_ended",
            ),
            models.Index(fields=["-created_at", "-id"], name="session_newest"),
            models.Index(fields=["-total_cost_microusd", "-id"], name="session_dearest"),
            models.Index(
                fields=["account", "-created_at"],
                condition=models.Q(task_wanted=True),
                name="session_task_wanted",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Untitled {str(self.uuid)[:8]}"

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.uuid])

    @property
    def name(self) -> str:
        """What people call it: its title, else what it was told to do; "" while neither is known."""
        return self.title or self.task[:TASK_AS_NAME]

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES


class SessionDetail(models.Model):
    """The bulk of a reply, for the session's own page only."""

    session = models.OneToOneField(
        AgentSession, on_delete=models.CASCADE, primary_key=True, related_name="detail"
    )
    raw = models.TextField(blank=True, help_text="The reply as JSON, credentials and presigned URLs cut out.")
    raw_bytes = models.IntegerField(default=0, help_text="Size before it was cut to what we keep.")
    live_url = EncryptedTextField(blank=True, help_text="A credential: whoever has it can drive the browser.")
    live_url_digest = models.BigIntegerField(default=0)
    recording_urls = EncryptedTextField(blank=True, help_text="One a line.  Presigned.")
    recording_urls_digest = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"detail of session {self.session_id}"
