"""What people do outside the floor's own pages: signing in and out, and whatever is changed in the admin pages.

People, roles and their permissions are changed there only, and Django writes down each change as a LogEntry: the
audit takes it over, in the same transaction.
"""

from typing import Any

from allauth.account.signals import user_logged_in
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver

from sessions_app.access import audit

ACTS = {ADDITION: "admin.added", CHANGE: "admin.changed", DELETION: "admin.deleted"}
LONGEST = 500


@receiver(user_logged_in)
def _signed_in(user: User, **_: Any) -> None:
    """By the form, which the admin pages share.  Who comes by a link is written down there."""
    audit.record(user, "person.signed_in")


@receiver(user_logged_out)
def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(user, "person.signed_out")


@receiver(user_login_failed)
def _refused(credentials: dict[str, Any], **_: Any) -> None:
    """Only names that exist: what is typed into the wrong field may be a password."""
    name = str(credentials.get("username", ""))[:150].replace("\0", "")
    if User.objects.filter(username=name).exists():
        audit.record(None, "person.refused", name=name)


@receiver(post_save, sender=LogEntry)
def _changed(instance: LogEntry, created: bool, **_: Any) -> None:
    """`what` names the fields, never their values: among them could be a password's hash."""
    if created:
        audit.record(
            instance.user,
            ACTS.get(instance.action_flag, "admin.acted"),
            kind=str(instance.content_type),
            object=instance.object_repr[:LONGEST],
            what=instance.get_change_message()[:LONGEST],
        )
