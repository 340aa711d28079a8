"""Change detection on bytes: a hash of a reply without the parts that are new at every fetch.

The parts are found by searching for their keys, not by parsing: that is several times faster, and in JSON a title
that says `"screenshotUrl":` has its quotes escaped, so it cannot be taken for the key.
"""

import re
from collections.abc import Iterator

import xxhash

from .fields import moment_of

_OFFSET = 2**63
_hash = xxhash.xxh3_64_intdigest

_QUOTE = 34
_NO_RECORDINGS = (b'"recordingUrls":[]', b'","recordingUrls":[]')
"""What comes after a `liveUrl` that is null, and after one that is not."""

_INNER = r"[^\"\\]*(?:\\.[^\"\\]*)*"
_CUT = re.compile(
    rf"\"(?:screenshotUrl|updatedAt)\"\s*:\s*\"({_INNER})\""
    rf"|\"recordingUrls\"\s*:\s*\[([^\]\"]*(?:\"{_INNER}\"[^\]\"]*)*)\]"
    rf"|\"liveUrl\"\s*:\s*\"[^\"\\?]*(\?[^\"]*)".encode(),
    re.DOTALL,
)


def digest_of(raw: bytes) -> int:
    """Signed 64 bits.  Blind to `screenshotUrl`, `recordingUrls`, `updatedAt` and to the query of `liveUrl`.

    Whether there is a picture or a live view at all counts: null is not a value that changes at every fetch.
    """
    # The vendor's own order and spacing, in fixed steps: this runs for every session at every reading.  Searching
    # from the end passes by keys of the same name in `output`, which the vendor writes first.
    live = raw.rfind(b'"liveUrl":') + 11
    live_end = raw.find(b'"', live)
    shot = raw.rfind(b'"screenshotUrl":') + 17
    updated = raw.rfind(b'"updatedAt":"') + 13
    if not (10 < live <= live_end < shot < updated and raw.startswith(_NO_RECORDINGS, live_end)):
        return _hash(b"".join(_rest(raw))) - _OFFSET
    query = raw.find(b"?", live, live_end)
    parts = (
        raw[: live_end if query < 0 else query],
        raw[live_end:shot],
        raw[raw.find(b'"', shot) if raw[shot - 1] == _QUOTE else shot : updated],
        raw[raw.find(b'"', updated) :],
    )
    return _hash(b"".join(parts)) - _OFFSET


def said_at(raw: bytes) -> str | None:
    """The vendor's `updatedAt` as text in UTC, without decoding the rest; None where that is not easily found.

    Such texts (`2026-11-25 08:54:04.12`, to the microsecond) stand in the order of the moments.  In the vendor's own form
    it takes no reading of a date, of which there would be one for every session at every look.
    """
    at = raw.rfind(b'"updatedAt":"') + 13
    if at < 13:
        return None
    said = raw[at : raw.find(b'"', at)].decode("ascii", "replace")
    if said[10:11] == "T" and said[-1] == "Z":
        return f"{said[:10]} {said[11:26].rstrip('Z')}"
    moment = moment_of(said)
    return None if moment is None else str(moment.replace(tzinfo=None))


def _rest(raw: bytes) -> Iterator[bytes]:
    """What is left without those values, in whatever order and spacing; keys inside `output` count too."""
    at = 0
    for match in _CUT.finditer(raw):
        start, end = match.span(match.lastindex or 0)
        yield raw[at:start]
        at = end
    yield raw[at:]
