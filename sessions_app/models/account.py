"""An account: one API key, hence one project of the vendor's, with the state of its polling."""

from django.db import models

from .fields import EncryptedTextField

SIMULATOR_SLUG, ENVIRONMENT_PREFIX = "simulator", "env-"
"""Slugs of the environment's accounts.  None that is made in the page is called so."""


class Account(models.Model):
    """A key and how reading with it goes.  The row is its own queue: `next_sweep_at` and `lease_until`."""

    slug = models.SlugField(unique=True, max_length=80)
    name = models.CharField(max_length=120)
    base_url = models.URLField(max_length=500)
    api_key = EncryptedTextField()
    key_set_at = models.DateTimeField(null=True, help_text="When a person last set the key.")
    is_simulator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True, help_text="Read and shown on the floor.")
    paused_at = models.DateTimeField(null=True, help_text="Set while a person has it paused.")

    project_id = models.CharField(max_length=80, blank=True)
    project_name = models.CharField(max_length=200, blank=True)
    balance_microusd = models.BigIntegerField(null=True)
    balance_read_at = models.DateTimeField(null=True)
    concurrent_browsers = models.IntegerField(null=True, help_text="The vendor's `rateLimit`.")
    facts_due_at = models.DateTimeField(null=True, help_text="When balance and names are asked for again.")

    webhook_secret = EncryptedTextField(blank=True, default="", help_text="Empty: no webhook is believed.")
    webhook_at = models.DateTimeField(null=True, help_text="When one last arrived whose signature was good.")
    webhook_kind = models.CharField(max_length=60, blank=True, help_text="What kind of news that was.")
    webhook_refused_at = models.DateTimeField(null=True)
    webhook_refusal = models.CharField(max_length=200, blank=True, help_text="Why, in words.")

    next_sweep_at = models.DateTimeField(null=True, help_text="Empty: at once.")
    lease_until = models.DateTimeField(null=True, help_text="Set while a worker sweeps.")
    lease_by = models.CharField(max_length=120, default="", db_default="", help_text="See `models.lease`.")
    last_read_at = models.DateTimeField(
        null=True, help_text="Since then all that runs, and what is new, has been read."
    )
    resting_read_at = models.DateTimeField(
        null=True, help_text="Since then also all that is idle or starting has been read."
    )
    shortage = models.JSONField(
        default=dict, blank=True, help_text="Empty, or by how much the budget of requests is too small."
    )
    next_reconcile_at = models.DateTimeField(null=True, help_text="When every page is read again.")
    reconcile_page = models.IntegerField(default=1, help_text="Where the reading of every page goes on.")
    reconcile_started_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(
        null=True, help_text="Start of the last reading that came to the end."
    )
    reconcile_missed = models.JSONField(
        default=list, blank=True, help_text="Pages that this reading could not get: they are tried again."
    )
    single_read_after = models.BigIntegerField(
        default=0, help_text="Id of the last session read alone: the next sweep goes on behind it."
    )
    names_read_at = models.DateTimeField(
        null=True, help_text="When names of profiles and workspaces were read."
    )
    sessions_upstream = models.IntegerField(
        null=True, help_text="How long the list is, as far as we know it."
    )
    counted_at = models.DateTimeField(null=True, help_text="Who was first seen later is not counted in that.")

    failing_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="Sweeps that failed one after another.")
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True, help_text="In words, with what to do.")
    set_aside = models.JSONField(
        default=list, blank=True, help_text="Records of the last sweep that nobody could read."
    )

    class Meta:
        indexes = [models.Index(fields=["is_active", "next_sweep_at"], name="account_due")]

    def __str__(self) -> str:
        return self.name

    @property
    def comes_from_environment(self) -> bool:
        """Its address and key are set by the environment at each start (`access.first_run`), not in the page."""
        return self.slug == SIMULATOR_SLUG or self.slug.startswith(ENVIRONMENT_PREFIX)
