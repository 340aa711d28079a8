"""What every page needs around its content."""

from django.conf import settings
from django.http import HttpRequest


def chrome(request: HttpRequest) -> dict:
    """Context processor: whether what is shown is simulated."""
    return {"simulated": settings.SIMULATOR}
