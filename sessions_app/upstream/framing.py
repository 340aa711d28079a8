"""May a page stand in a frame of ours?  Its headers say so; a browser that obeys them tells the page around nothing.

Source: CSP Level 3 (frame-ancestors), and HTML's rules for X-Frame-Options, which count only where that is not said.
"""

from collections.abc import Iterator, Sequence

from .urls import Address

X_FRAME_OPTIONS, FRAME_ANCESTORS = "x-frame-options", "frame-ancestors"
POLICY = "content-security-policy"


def refused_by(headers: Sequence[tuple[str, str]], view: Address, page: Address) -> str:
    """What keeps the page `view`, which came with `headers`, out of a frame on `page`; empty if nothing does."""
    sources = list(_ancestors(headers))
    if sources:
        refused = any(not any(_fits(one, view, page) for one in allowed) for allowed in sources)
        return "Content-Security-Policy: frame-ancestors" if refused else ""
    words = _options(headers)
    if "deny" in words or len(words & {"sameorigin", "allowall"}) > 1:
        return "X-Frame-Options: DENY"
    if "sameorigin" in words and view.origin != page.origin:
        return "X-Frame-Options: SAMEORIGIN"
    return ""


def _options(headers: Sequence[tuple[str, str]]) -> set[str]:
    said = [value for name, value in headers if name.lower() == X_FRAME_OPTIONS]
    return {word.strip().lower() for value in said for word in value.split(",")}


def _ancestors(headers: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    """The sources of each policy that has the directive; all of them must let us in."""
    policies = [one for name, value in headers if name.lower() == POLICY for one in value.split(",")]
    for policy in policies:
        directives = [directive.lower().split() for directive in policy.split(";")]
        yield from [words[1:] for words in directives if words[:1] == [FRAME_ANCESTORS]][:1]


def _fits(source: str, view: Address, page: Address) -> bool:
    """Whether `source` (`'self'`, `*`, `https:`, `https://*.example:8443`) has `page` in it."""
    if source in ("*", "'self'"):
        return source == "*" or view.origin == page.origin
    if source.endswith(":") and "/" not in source:
        return _scheme_fits(source[:-1], page.scheme)
    scheme, has_scheme, rest = source.rpartition("://")
    host, _, port = rest.partition("/")[0].partition(":")
    return (
        _scheme_fits(scheme if has_scheme else view.scheme, page.scheme)
        and _host_fits(host, page.host)
        and _port_fits(port, page)
    )


def _scheme_fits(allowed: str, scheme: str) -> bool:
    """What is good enough for http is for https."""
    return scheme == allowed or (allowed == "http" and scheme == "https")


def _host_fits(allowed: str, host: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else allowed in ("*", host)


def _port_fits(allowed: str, page: Address) -> bool:
    return allowed in ("*", str(page.port)) or (allowed in ("", "80") and page.has_usual_port)
