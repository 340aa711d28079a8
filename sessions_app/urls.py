"""Every address of the product.  `docs/architecture.md` says which of them others build on."""

from django.urls import path

from sessions_app.views import attention, health, live, people, sessions

urlpatterns = [
    path("", live.live, name="live"),
    path("attention/", attention.attention, name="attention"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("accounts/link/<str:token>/", people.sign_in_by_link, name="sign_in_link"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
