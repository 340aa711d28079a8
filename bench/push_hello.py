"""What a signed-in page costs before it does anything: the other side of goal 4."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello, {request.user.get_username()}")


urlpatterns = [path("", hello)]
