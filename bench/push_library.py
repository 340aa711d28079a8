"""django-eventstream as a side of goal 5, where it is installed: no middleware, no storage, one channel for everybody."""

from django.urls import path
from django_eventstream.views import events

from sessions_app.urls import urlpatterns as pages

# A row links to its session's page.
urlpatterns = [path("live/stream", events, {"channels": ["floor"]}), *pages]
