"""Who somebody is and what they may: Django's own, at half the queries."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q


class OneQuery(ModelBackend):
    """A person's own permissions and those of their groups are read together: every page asks for them."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """`app.codename` of each; empty for who is not active, and about single objects, which have none here."""
        if obj is not None or not user_obj.is_active or user_obj.is_anonymous or user_obj.is_superuser:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_perm_cache"):
            theirs = Permission.objects.filter(Q(user=user_obj) | Q(group__user=user_obj))
            names = theirs.values_list("content_type__app_label", "codename").order_by()
            user_obj._perm_cache = {f"{app}.{codename}" for app, codename in names}
        return user_obj._perm_cache
