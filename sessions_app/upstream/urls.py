"""Which of the vendor's addresses may go into a page or be fetched.  Pure: nothing is resolved here.

Browsers and Python read odd addresses differently (`https://evil.example\\@live.browser-use.com/` is one host to
each), so only plain ones pass, and they are put together anew from what was checked.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

LONGEST_URL = 4096

_PLAIN = re.compile(
    r"(https?)://([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?(?:([/?#].*))?",
    re.IGNORECASE | re.ASCII,
)
_REST = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%|]*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_USUAL_PORT = {"https": 443, "http": 80}


class Address(NamedTuple):
    """A plain address: `host` is lower case, an IPv6 one in brackets; `rest` begins with a slash."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def has_usual_port(self) -> bool:
        return self.port == _USUAL_PORT[self.scheme]

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}" + ("" if self.has_usual_port else f":{self.port}")

    @property
    def url(self) -> str:
        return self.origin + self.rest

    @property
    def is_loopback(self) -> bool:
        """Whether it leads to this very machine."""
        return _is_loopback(self.host)


def parse(url: str) -> Address | None:
    """None for anything but http(s) with a plain host: no user, no backslash, no control or foreign characters."""
    match = _PLAIN.fullmatch(url) if len(url) <= LONGEST_URL else None
    if match is None:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _USUAL_PORT[scheme]
    rest = match[4] or "/"
    if not (0 < port < 65536 and _REST.fullmatch(rest) and _is_host(host)):
        return None
    return Address(scheme, host, port, rest if rest[0] == "/" else "/" + rest)


def safe_live_url(url: str, origins: Iterable[str], allow_loopback: bool) -> str | None:
    """The address to put into a frame, or None: only https on `origins`, and this machine's where that is allowed."""
    address = parse(url)
    if address is None:
        return None
    if allow_loopback and _is_loopback(address.host):
        return address.url
    allowed = {known.origin for origin in origins if (known := parse(origin.strip()))}
    return address.url if address.scheme == "https" and address.origin in allowed else None


def safe_picture_url(url: str, allow_loopback: bool) -> str | None:
    """The address to fetch a picture from, or None.  The host's addresses are still to be checked, when resolved."""
    address = parse(url)
    if address is None:
        return None
    if _is_loopback(address.host):
        return address.url if allow_loopback else None
    if address.scheme != "https" or address.port != 443 or _ip(address.host) is not None:
        return None
    return address.url


def is_public(ip: str) -> bool:
    """Whether a resolved address is one of the open internet: no loopback, private, link-local or reserved one."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    carried = _carried_v4(address)
    return all(one.is_global and not one.is_multicast for one in (address, carried) if one is not None)


def _carried_v4(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to, by whichever of the three ways of writing it in."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_loopback(host: str) -> bool:
    ip = _ip(host)
    return host == "localhost" or bool(ip and ip.is_loopback and _carried_v4(ip) is None)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    """A name of labels, or an address in full.  `127.1`, `0x7f.1` and `2130706433` are addresses to a browser only."""
    if _ip(host) is not None:
        return True
    labels = host.removesuffix(".").split(".")
    last = labels[-1]
    return all(map(_LABEL.fullmatch, labels)) and not last[0].isdigit() and not last.startswith("0x")
