"""What every page needs around its content."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe

from sessions_app.access.roles import sight_of
from sessions_app.live import tickets
from sessions_app.models import Account
from sessions_app.queries import pulse
from sessions_app.queries.recent import recent
from sessions_app.types import Sight

PAGES = (
    ("live", "Live", None),
    ("attention", "Attention", None),
    ("sessions", "Sessions", None),
    ("costs", "Costs", "sessions_app.see_costs"),
    ("stops", "Stops", None),
    ("settings", "Settings", "sessions_app.manage"),
)
"""URL name (the icon has the same), label, and the permission without which the page is not offered."""
HOME_OF = {
    "session": "sessions",
    "stop": "stops",
    "stop_receipt": "stops",
    "bulk_stop": "stops",
    "budget": "costs",
    "budget_add": "costs",
    "settings_account": "settings",
    "settings_account_add": "settings",
}
THEMES = {"light", "dark"}


class Floor:
    """The floor's pulse, read when a template first asks: sign-in pages never touch the database for it."""

    def __init__(self, user: User, sight: Sight) -> None:
        self._user, self._sight = user, sight

    @property
    def ticket(self) -> str:
        """For pages without sessions: their pulse stays current, too."""
        return tickets.make(self._user, (), "session")

    @cached_property
    def facts(self) -> pulse.Pulse:
        return recent("pulse", pulse.take)

    @cached_property
    def strip(self) -> SafeString:
        drawn = recent(("strip", self._sight), lambda: pulse.render(self.facts, self._sight))
        return mark_safe(drawn.decode())  # noqa: S308 a rendered template


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Context processor: theme, navigation, what this person may see, and the pulse of the floor."""
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {
        "simulated": "all" if settings.SIMULATOR else "",
        "theme": theme if theme in THEMES else "",
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return context
    sight = sight_of(user)
    return context | {
        "simulated": _simulated(),
        "sight": sight,
        "floor": Floor(user, sight),
        "navigation": _navigation(request),
    }


def _simulated() -> str:
    """Whether sessions on the floor are simulated: "all", "some" (beside accounts of people's own) or ""."""
    if not settings.SIMULATOR:
        return ""
    kinds = set(Account.objects.filter(is_active=True).values_list("is_simulator", flat=True))
    return "" if True not in kinds else "some" if False in kinds else "all"


def _navigation(request: HttpRequest) -> list[dict[str, Any]]:
    match = request.resolver_match
    name_here = (match and match.url_name) or ""
    here = HOME_OF.get(name_here, name_here)
    return [
        {"name": name, "label": label, "url": reverse(name), "current": name == here}
        for name, label, permission in PAGES
        if permission is None or request.user.has_perm(permission)
    ]
