"""Every address of the product.  `docs/architecture.md` says which of them others build on."""

from django.urls import path, re_path

from sessions_app.views import (
    attention,
    costs,
    health,
    live,
    people,
    pictures,
    session,
    sessions,
    settings,
    stops,
)

urlpatterns = [
    path("", live.live, name="live"),
    path("attention/", attention.attention, name="attention"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<uuid:uuid>/", session.session, name="session"),
    path("sessions/<uuid:uuid>/live/", session.live, name="live_view"),
    path("sessions/<uuid:uuid>/control/", session.control, name="control"),
    path("sessions/<uuid:uuid>/output", session.session_output, name="session_output"),
    path("sessions/<uuid:uuid>/stop/", stops.stop, name="stop"),
    path("stops/", stops.stops, name="stops"),
    path("stops/<int:pk>/", stops.stop_receipt, name="stop_receipt"),
    re_path(r"^pictures/(?P<content_hash>[0-9a-f]{64})\.webp$", pictures.picture, name="picture"),
    re_path(r"^pictures/(?P<content_hash>[0-9a-f]{64})\.thumb\.webp$", pictures.thumbnail, name="thumbnail"),
    path("accounts/link/<str:token>/", people.sign_in_by_link, name="sign_in_link"),
    path("costs/", costs.costs, name="costs"),
    path("costs/export.csv", costs.as_csv, name="costs_csv"),
    path("costs/export.json", costs.as_json, name="costs_json"),
    path("settings/", settings.settings, name="settings"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
