"""Change detection on bytes: a hash of a reply without the parts that are new at every fetch.

The parts are found by searching for their keys, not by parsing: that is several times faster, and in JSON a title
that says `"screenshotUrl":` has its quotes escaped, so it cannot be taken for the key.
"""

import re
from collections.abc import Iterator

import xxhash

_OFFSET = 2**63
_hash = xxhash.xxh3_64_intdigest

_STRING = r"\"[^\"\\]*(?:\\.[^\"\\]*)*\""
_CUT = re.compile(
    rf"\"(?:recordingUrls|screenshotUrl|updatedAt)\"\s*:\s*({_STRING}|\[[^\]\"]*(?:{_STRING}[^\]\"]*)*\])"
    rf"|\"liveUrl\"\s*:\s*\"[^\"\\?]*(\?[^\"]*)".encode(),
    re.DOTALL,
)


def digest_of(raw: bytes) -> int:
    """Signed 64 bits.  Blind to `screenshotUrl`, `recordingUrls`, `updatedAt` and to the query of `liveUrl`.

    Whether there is a picture or a live view at all counts: null is not a value that changes at every fetch.
    """
    # The vendor's own order and spacing, in fixed steps: this runs for every session at every reading.  Searching
    # from the end passes by keys of the same name in `output`, which the vendor writes first.
    live = raw.rfind(b'"liveUrl":')
    recordings = raw.rfind(b'"recordingUrls":[')
    shot = raw.rfind(b'"screenshotUrl":')
    updated = raw.rfind(b'"updatedAt":"')
    if not -1 < live < recordings < shot < updated:
        return _hash(b"".join(_rest(raw))) - _OFFSET
    live_end = raw.find(b'"', live + 11)
    query = raw.find(b"?", live, live_end)
    parts = (
        raw[: live_end if query < 0 else query],
        raw[live_end : recordings + 17],
        raw[raw.find(b"]", recordings) : shot + 17],
        raw[raw.find(b'"', shot + 17) : updated + 13],
        raw[raw.find(b'"', updated + 13) :],
    )
    return _hash(b"".join(parts)) - _OFFSET


def _rest(raw: bytes) -> Iterator[bytes]:
    """What is left without those values, in whatever order and spacing; keys inside `output` count too."""
    at = 0
    for match in _CUT.finditer(raw):
        start, end = match.span(match.lastindex or 0)
        yield raw[at:start]
        at = end
    yield raw[at:]
