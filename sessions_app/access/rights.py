"""Whatever changes what somebody may do, or ends their being signed in, is told to the live push at once.

Changed in the admin pages, in a shell, or by signing out; what is done to the database directly, the push finds out
by itself within half a minute.
"""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from sessions_app.live import publish


@receiver(user_logged_out)
@receiver([m2m_changed], sender=User.groups.through)
@receiver([m2m_changed], sender=User.user_permissions.through)
@receiver([m2m_changed], sender=Group.permissions.through)
@receiver([post_delete], sender=User)
@receiver([post_delete], sender=Group)
def _changed(action: str = "post", **_: Any) -> None:
    if action.startswith("post"):
        transaction.on_commit(publish.people_changed, robust=True)


@receiver(post_save, sender=User)
def _saved(created: bool, update_fields: Collection[str] | None = None, **_: Any) -> None:
    """Not every sign-in: that one only notes when it was."""
    if not created and set(update_fields or ()) != {"last_login"}:
        transaction.on_commit(publish.people_changed, robust=True)
