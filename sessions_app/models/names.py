"""Names of the vendor's things that sessions point at by UUID."""

from django.db import models

from .account import Account


class UpstreamName(models.Model):
    """A profile's or a workspace's name, refreshed now and then."""

    PROFILE, WORKSPACE = "profile", "workspace"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="names")
    kind = models.CharField(max_length=16, choices=[(PROFILE, "Profile"), (WORKSPACE, "Workspace")])
    uuid = models.UUIDField()
    name = models.CharField(max_length=300)
    customer_id = models.CharField(max_length=300, blank=True, help_text="A profile's `userId`.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "uuid"], name="name_once")]

    def __str__(self) -> str:
        return self.name
