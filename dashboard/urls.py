"""Addresses: people's pages are the app's, sign-in is allauth's."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("sessions_app.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
