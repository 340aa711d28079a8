"""Pictures, for whoever is signed in.  Their address is the hash of their content, so they never change."""

from django.core.files.storage import storages
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from sessions_app.screenshots.storage import file_name

A_YEAR_S = 365 * 24 * 3600
PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 800" width="1280" height="800">'
    b'<path fill="#8884" d="M0 0h1280v800H0z"/><g fill="none" stroke="#888" stroke-width="16">'
    b'<rect x="540" y="310" width="200" height="150" rx="12"/><path d="m560 480 160-190"/></g></svg>'
)


@require_safe
def picture(request: HttpRequest, content_hash: str) -> HttpResponse:
    """`<hash>.webp`, as large as it was (up to 1600 pixels wide)."""
    return _picture(request, content_hash, thumb=False)


@require_safe
def thumbnail(request: HttpRequest, content_hash: str) -> HttpResponse:
    """`<hash>.thumb.webp`, at most 480 pixels wide."""
    return _picture(request, content_hash, thumb=True)


def _picture(request: HttpRequest, content_hash: str, *, thumb: bool) -> HttpResponse:
    """The stored file; a placeholder (404) where there is none."""
    etag = f'"{content_hash}{"-thumb" if thumb else ""}"'
    if request.headers.get("If-None-Match") == etag:
        return _forever(HttpResponseNotModified(), etag)
    try:
        with storages["pictures"].open(file_name(content_hash, thumb=thumb)) as file:
            return _forever(HttpResponse(file.read(), content_type="image/webp"), etag)
    except FileNotFoundError:
        return HttpResponse(
            PLACEHOLDER, status=404, content_type="image/svg+xml", headers={"Cache-Control": "no-store"}
        )


def _forever(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    patch_cache_control(response, private=True, max_age=A_YEAR_S, immutable=True)
    return response
