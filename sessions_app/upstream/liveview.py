"""A look at what stands behind a live view's address, for the page that shows it in a frame.

To that page a view that loaded, one that its host forbids to frame, and a 404 are all the same: the browser keeps
them apart from it.  So the server asks for the headers, and for no more than that.
"""

import asyncio
from typing import Any, Literal, NamedTuple
from urllib.parse import urljoin

import httpx

from .background import loop
from .framing import refused_by
from .tls import authorities
from .urls import Address, parse, safe_live_url

DEADLINE_S = 4.0
HOPS = 4
_GONE = frozenset({404, 410})
_HEADERS = {"User-Agent": "watchfloor", "Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Dest": "iframe"}


class Look(NamedTuple):
    """What a frame will come to.  "unknown": the browser's own impression is the better one."""

    state: Literal["framed", "blocked", "dead", "unknown"]
    why: str = ""


UNKNOWN = Look("unknown")


class Allowed(NamedTuple):
    """Where live views may come from, and where redirects may lead."""

    origins: tuple[str, ...]
    loopback: bool


def look(url: str, page: Address, allowed: Allowed, proxy: str = "") -> Look:
    """What comes of `url` in a frame on `page`; never raises, takes at most four seconds."""
    return loop().run(lambda: _within_time(url, page, allowed, proxy))


async def _within_time(url: str, page: Address, allowed: Allowed, proxy: str) -> Look:
    try:
        async with asyncio.timeout(DEADLINE_S), _new_client(proxy) as client:
            return await _follow(client, url, page, allowed)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError):
        return UNKNOWN  # perhaps only this server is cut off from there


async def _follow(client: httpx.AsyncClient, url: str, page: Address, allowed: Allowed) -> Look:
    for _ in range(HOPS):
        safe = safe_live_url(url, allowed.origins, allowed.loopback)
        view = parse(safe) if safe else None
        if view is None:
            return UNKNOWN  # the page's own policy lets nothing through from there, and the browser tells the page
        async with client.stream("GET", view.url) as response:
            if not response.has_redirect_location:
                return _judge(response, view, page)
            url = urljoin(view.url, response.headers["location"])
    return UNKNOWN


def _judge(response: httpx.Response, view: Address, page: Address) -> Look:
    """A server that is no browser may be refused (401, 403, 429) where people are not: that says nothing."""
    status = response.status_code
    if status in _GONE or status >= 500:
        return Look("dead", str(status))
    if not response.is_success:
        return UNKNOWN
    refused = refused_by(response.headers.multi_items(), view, page)
    return Look("blocked", refused) if refused else Look("framed")


def _new_client(proxy: str) -> httpx.AsyncClient:
    """For one look: views are opened now and then, and nothing of one look may reach another."""
    options: dict[str, Any] = {"proxy": proxy} if proxy else {}
    return httpx.AsyncClient(
        headers=_HEADERS, verify=authorities(), trust_env=False, follow_redirects=False, **options
    )
