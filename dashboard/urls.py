"""Addresses: people's pages are the app's, sign-in is allauth's, as far as it is used."""

from django.contrib import admin
from django.urls import include, path, re_path

from sessions_app.views.people import closed

# Nobody signs up here, and no mail is sent.  allauth looks these addresses up by name, so they stay below.
CLOSED = r"^accounts/(?:signup|email|confirm-email|reauthenticate|password/reset|login/code)/"

urlpatterns = [
    path("", include("sessions_app.urls")),
    re_path(CLOSED, closed),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
