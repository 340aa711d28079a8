"""The settings page: how reading goes, who may do what, what runs here."""

from importlib.metadata import version
from platform import python_version
from typing import NamedTuple

import django
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from sessions_app.models import FloorPermission
from sessions_app.queries.accounts import AccountHealth, accounts
from sessions_app.queries.budgets import BudgetLine, budgets
from sessions_app.queries.machinery import Machinery, machinery
from sessions_app.queries.upkeep import Policy, Upkeep, policy, upkeep

MOST_PEOPLE = 50
FEW_ACCOUNTS = 3
PARTS = ("django-htmx", "celery", "redis", "httpx", "msgspec", "pillow", "uvicorn")


class Role(NamedTuple):
    """A role: for each permission of `SettingsPage.permissions` whether it has it, and how many people hold it."""

    name: str
    may: tuple[bool, ...]
    people: int


class Person(NamedTuple):
    """Somebody who may sign in.  `roles` empty and no superuser: sees the floor as a viewer does."""

    user: User
    roles: tuple[str, ...]


class PermissionRow(NamedTuple):
    """What may be done, and for each role whether it may."""

    words: str
    may: tuple[bool, ...]


class SettingsPage(NamedTuple):
    accounts: tuple[AccountHealth, ...]
    permissions: tuple[str, ...]
    roles: tuple[Role, ...]
    people: tuple[Person, ...]
    more_people: int
    machinery: Machinery
    budgets: tuple[BudgetLine, ...]
    upkeep: tuple[Upkeep, ...]
    kept: Policy
    versions: tuple[tuple[str, str], ...]

    @property
    def has_many_accounts(self) -> bool:
        """Then each is told in brief, or nobody finds the page's other half."""
        return len(self.accounts) > FEW_ACCOUNTS

    @property
    def permission_rows(self) -> list[PermissionRow]:
        """The same table of roles, turned: a line per permission."""
        return [
            PermissionRow(words.removeprefix("May "), tuple(role.may[number] for role in self.roles))
            for number, words in enumerate(self.permissions)
        ]


def settings_page() -> SettingsPage:
    """Everything on the page; a constant handful of queries, whatever the size of the floor."""
    people, more = _people()
    return SettingsPage(
        accounts=accounts(timezone.now()),
        permissions=tuple(words for _, words in FloorPermission._meta.permissions),
        roles=_roles(),
        people=people,
        more_people=more,
        machinery=machinery(),
        budgets=budgets(timezone.now()),
        upkeep=upkeep(),
        kept=policy(),
        versions=_versions(),
    )


def _roles() -> tuple[Role, ...]:
    codenames = [codename for codename, _ in FloorPermission._meta.permissions]
    groups = Group.objects.annotate(people=Count("user", distinct=True)).prefetch_related("permissions")
    roles = []
    for group in groups.order_by("pk"):
        has = {permission.codename for permission in group.permissions.all()}
        roles.append(Role(group.name, tuple(codename in has for codename in codenames), group.people))
    return tuple(roles)


def _people() -> tuple[tuple[Person, ...], int]:
    """The first MOST_PEOPLE by name, and how many more there are."""
    active = User.objects.filter(is_active=True)
    shown = active.order_by("username").prefetch_related("groups")[:MOST_PEOPLE]
    people = tuple(Person(user, tuple(group.name for group in user.groups.all())) for user in shown)
    return people, max(0, active.count() - len(people))


def _versions() -> tuple[tuple[str, str], ...]:
    database = (
        f"{connection.display_name} {'.'.join(str(part) for part in connection.get_database_version())}"
    )
    parts = [(name, version(name)) for name in PARTS]
    return (("Python", python_version()), ("Django", django.get_version()), ("Database", database), *parts)
