"""The one app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    verbose_name = "Watchfloor"

    def ready(self) -> None:
        from sessions_app.access import proof, rights, trail  # noqa: F401  they listen to what people do
        from sessions_app.access.roles import ensure_roles

        post_migrate.connect(ensure_roles, sender=self)
