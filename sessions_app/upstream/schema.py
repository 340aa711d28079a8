"""From the vendor's JSON to `SessionData`, in two stages, so that what did not change costs next to nothing.

Stage one (`pages`) splits a list and hashes each session; stage two reads one of them.
Source: https://docs.browser-use.com/cloud/api-v3/sessions/get-session
"""

from sessions_app.types import SessionData

from .digest import digest_of
from .exact import read_exact
from .tolerant import Unreadable, read_tolerantly

__all__ = ["Unreadable", "digest_of", "read_session"]


def read_session(raw: bytes, digest: int | None = None) -> SessionData:
    """One SessionResponse.  Unknown statuses, models, countries and fields pass; odd values become oddities.

    `digest`: that of `raw`, where it is known.  Unreadable when it has no usable `id` or `status`, or is not an object at all.
    """
    if digest is None:
        digest = digest_of(raw)
    return read_exact(raw, digest) or read_tolerantly(raw, digest)
