"""Django's admin pages: people and roles are changed there; the floor's own records can only be read."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from sessions_app.models import Account, AuditEntry, StopAttempt, StopRequest

admin.site.site_header = admin.site.site_title = "Watchfloor"
admin.site.index_title = "People, roles and records"
# Its own form knows no limit on wrong passwords: everybody signs in by ours.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class ReadOnly:
    """Nothing is added, changed or deleted here: the product writes these rows, and history stays as it was."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(ReadOnly, admin.ModelAdmin):
    """Changed in the settings page, with an audit entry each time; keys and secrets are shown nowhere."""

    list_display = ("name", "base_url", "is_active", "last_read_at", "failing_since")
    exclude = ("api_key", "webhook_secret")


class AttemptInline(ReadOnly, admin.TabularInline):
    model = StopAttempt
    extra = 0


@admin.register(StopRequest)
class StopRequestAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("requested_at", "strategy", "state", "requested_by_name", "session", "reason")
    list_filter = ("state", "strategy")
    list_select_related = ("session",)
    date_hierarchy = "requested_at"
    inlines = (AttemptInline,)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "actor_name", "action", "session")
    list_filter = ("action",)
    list_select_related = ("session",)
    date_hierarchy = "at"
