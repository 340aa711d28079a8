"""The settings page: how reading goes, who may do what, what runs here."""

from importlib.metadata import version
from platform import python_version
from typing import NamedTuple

import django
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Count, Q

from sessions_app.models import Account, AgentSession, FloorPermission

PARTS = ("django-htmx", "celery", "redis", "httpx", "msgspec", "pillow", "uvicorn")


class AccountHealth(NamedTuple):
    """An account, and how many of its sessions we hold."""

    account: Account
    sessions: int
    live: int


class Role(NamedTuple):
    """A role: for each permission of `SettingsPage.permissions` whether it has it, and how many people hold it."""

    name: str
    may: tuple[bool, ...]
    people: int


class SettingsPage(NamedTuple):
    accounts: tuple[AccountHealth, ...]
    permissions: tuple[str, ...]
    roles: tuple[Role, ...]
    people: int
    versions: tuple[tuple[str, str], ...]


def settings_page() -> SettingsPage:
    """Everything on the page; four queries whatever the size of the floor."""
    return SettingsPage(
        accounts=_accounts(),
        permissions=tuple(words for _, words in FloorPermission._meta.permissions),
        roles=_roles(),
        people=User.objects.filter(is_active=True).count(),
        versions=_versions(),
    )


def _accounts() -> tuple[AccountHealth, ...]:
    tallies = {
        row["account"]: row
        for row in AgentSession.objects.values("account")
        .annotate(sessions=Count("pk"), live=Count("pk", filter=Q(is_live=True)))
        .order_by()
    }
    none = {"sessions": 0, "live": 0}
    return tuple(
        AccountHealth(account, **{name: tallies.get(account.pk, none)[name] for name in none})
        for account in Account.objects.order_by("-is_active", "name")
    )


def _roles() -> tuple[Role, ...]:
    codenames = [codename for codename, _ in FloorPermission._meta.permissions]
    groups = Group.objects.annotate(people=Count("user", distinct=True)).prefetch_related("permissions")
    roles = []
    for group in groups.order_by("pk"):
        has = {permission.codename for permission in group.permissions.all()}
        roles.append(Role(group.name, tuple(codename in has for codename in codenames), group.people))
    return tuple(roles)


def _versions() -> tuple[tuple[str, str], ...]:
    database = (
        f"{connection.display_name} {'.'.join(str(part) for part in connection.get_database_version())}"
    )
    parts = [(name, version(name)) for name in PARTS]
    return (("Python", python_version()), ("Django", django.get_version()), ("Database", database), *parts)
