"""Fetches a picture from a presigned address that somebody else wrote: the other room that speaks HTTP.

What the vendor sends may have been written by whoever controls the page that an agent visits, so an address
is only followed to the public internet, to the host that was checked, for a short while and a few megabytes.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from sessions_app.upstream.background import loop
from sessions_app.upstream.body import read_body
from sessions_app.upstream.errors import BadReply
from sessions_app.upstream.tls import authorities
from sessions_app.upstream.urls import is_public, safe_picture_url

from .errors import BadPicture

LARGEST = 5 * 1024 * 1024
DEADLINE_S = 8.0
"""By the wall clock, for everything from the name to the last byte."""
CONNECT_S = 4.0
AT_ONCE = 4
ADDRESSES_TRIED = 2
UNNAMED_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""What object stores say when nobody told them; the bytes decide."""

type Address = IPv4Address | IPv6Address


def fetch_many(
    urls: Sequence[str], *, allow_loopback: bool, deadline_s: float = DEADLINE_S
) -> list[bytes | BadPicture]:
    """The bytes behind each address, four at a time, in the order asked for; a bad one spoils only its own place."""
    return loop().run(lambda: _fetch_many(urls, allow_loopback, deadline_s))


def fetch(url: str, *, allow_loopback: bool, deadline_s: float = DEADLINE_S) -> bytes:
    """The bytes behind one address.  Raises BadPicture."""
    (result,) = fetch_many([url], allow_loopback=allow_loopback, deadline_s=deadline_s)
    if isinstance(result, BadPicture):
        raise result
    return result


async def _fetch_many(
    urls: Sequence[str], allow_loopback: bool, deadline_s: float
) -> list[bytes | BadPicture]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(url: str) -> bytes | BadPicture:
        async with turns:
            try:
                async with asyncio.timeout(deadline_s):
                    return await _fetch(url, allow_loopback)
            except BadPicture as bad:
                return bad
            except TimeoutError:
                return BadPicture(f"The picture did not come within {deadline_s:g} s.")

    return list(await asyncio.gather(*map(in_turn, urls)))


async def _fetch(url: str, allow_loopback: bool) -> bytes:
    safe = safe_picture_url(url, allow_loopback)
    if safe is None:
        raise BadPicture("The picture's address is not one that may be followed.")
    parts = urlsplit(safe)
    for address in (await _addresses(parts, allow_loopback))[:ADDRESSES_TRIED]:
        try:
            return await _read(parts, address)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise BadPicture(f"The picture broke off ({type(error).__name__}).") from None
    raise BadPicture("The picture's host could not be reached.")


async def _addresses(parts: SplitResult, allow_loopback: bool) -> list[Address]:
    """Where the host may be reached: resolved once, and what was checked is what is connected to."""
    host, port = parts.hostname or "", _port(parts)
    try:
        found = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadPicture("The picture's host has no address.") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    allowed = [address for address in dict.fromkeys(addresses) if _may_reach(address, allow_loopback)]
    if not allowed:
        raise BadPicture("The picture's host is not on the public internet.")
    return sorted(allowed, key=lambda address: address.version)


def _may_reach(address: Address, allow_loopback: bool) -> bool:
    """Public, or loopback where the vendor itself is there."""
    return (allow_loopback and address.is_loopback) or is_public(str(address))


async def _read(parts: SplitResult, address: Address) -> bytes:
    """One GET to `address`, with the name that was asked for in `Host` and in the TLS handshake."""
    netloc = f"[{address}]" if address.version == 6 else str(address)
    request = httpx.Request(
        "GET",
        parts._replace(netloc=f"{netloc}:{_port(parts)}").geturl(),
        headers={
            "Host": parts.netloc,
            "User-Agent": "watchfloor",
            "Accept": "image/*",
            "Accept-Encoding": "identity",
        },
        extensions={
            "sni_hostname": parts.hostname,
            "timeout": httpx.Timeout(None, connect=CONNECT_S).as_dict(),
        },
    )
    response = await _client().send(request, stream=True)
    try:
        _check_head(response)
        return await read_body(response, LARGEST)
    except BadReply:
        raise BadPicture(f"The picture is larger than {LARGEST // 1024**2} MB, or cut short.") from None
    finally:
        await response.aclose()


def _check_head(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise BadPicture(f"The picture's host answered {response.status_code}.")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in UNNAMED_TYPES:
        raise BadPicture("What came is not a picture.")
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 16 and int(length) > LARGEST:
        raise BadPicture(f"The picture is larger than {LARGEST // 1024**2} MB.")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _client() -> httpx.AsyncClient:
    """On the loop's thread only.  Connections are not kept: one opened for a name must not serve another.

    No proxy of the environment's, no redirects: both lead elsewhere than what was checked.
    """
    state: dict[Any, Any] = loop().state
    if "pictures" not in state:
        state["pictures"] = httpx.AsyncClient(
            verify=authorities(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=AT_ONCE * 2, max_keepalive_connections=0),
        )
    return state["pictures"]
