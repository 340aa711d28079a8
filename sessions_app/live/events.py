"""Server-sent events, as bytes (source: the HTML standard, 9.2.6 "Interpreting an event stream")."""

import msgspec


def event(name: str, data: bytes, moment_ms: int | None = None) -> bytes:
    """One event.  `moment_ms`: our clock; the browser gives it back when it reconnects (Last-Event-ID)."""
    identity = b"" if moment_ms is None else b"id: %d\n" % moment_ms
    # splitlines of bytes knows exactly the three line ends that the standard knows.
    return b"%sevent: %s\ndata: %s\n\n" % (identity, name.encode(), b"\ndata: ".join(data.splitlines()))


def note(name: str, moment_ms: int | None = None, **facts: object) -> bytes:
    """An event whose data is a JSON object."""
    return event(name, msgspec.json.encode(facts), moment_ms)


def ping(moment_ms: int) -> bytes:
    """A sign of life that the page can see: scripts are not told of comments, nor of events without data."""
    return event("ping", b"1", moment_ms)


def retry(milliseconds: int) -> bytes:
    """How long the browser waits before it reconnects."""
    return b"retry: %d\n\n" % milliseconds
