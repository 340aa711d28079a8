"""Who may do what: five roles, made of Django groups and permissions, so that the admin pages work too."""

from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from sessions_app.types import Sight

ROLES: dict[str, tuple[str, ...]] = {
    "viewer": (),
    "operator": ("watch_live", "take_control", "stop_task", "end_session", "acknowledge", "see_costs"),
    "support": ("watch_live", "stop_task", "end_session", "acknowledge", "see_costs"),
    "lead": ("watch_live", "see_costs"),
    "admin": ("watch_live", "take_control", "stop_task", "end_session", "acknowledge", "see_costs", "manage"),
}


def ensure_roles(**_: object) -> None:
    """The groups exist and have at least their permissions.  Runs after each migrate; adds, never takes away."""
    ours = Permission.objects.filter(content_type__app_label="sessions_app")
    by_codename = {permission.codename: permission for permission in ours}
    for role, codenames in ROLES.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.add(*(by_codename[name] for name in codenames if name in by_codename))


def sight_of(user: User | AnonymousUser) -> Sight:
    """What this person may see and do, as one small value that pages and pushed rows are rendered by."""
    return Sight(**{name: user.has_perm(f"sessions_app.{name}") for name in Sight._fields})
