"""Recordings as WebM, without a video encoder.

A lossy WebP picture is one VP8 key frame in a RIFF envelope. Taken out of it and put into Matroska's boxes, a row of such
frames is a film that browsers play.
"""

import struct
from functools import lru_cache
from io import BytesIO

from . import pictures
from .model import Task
from .pictures import View

FRAMES, FRAME_MS = 8, 900
_WIDTH, _HEIGHT = 640, 400


def recording(task: Task) -> bytes:
    """A few pictures of the task, evenly chosen, one after the other."""
    steps = sorted({max(1, task.steps * n // FRAMES) for n in range(1, FRAMES + 1)})
    return _film(tuple(pictures.view(task, step, cursor=True) for step in steps))


@lru_cache(maxsize=8)
def _film(views: tuple[View, ...]) -> bytes:
    frames = [_key_frame(view) for view in views]
    info = _box(
        0x1549A966,
        _whole(0x2AD7B1, 1_000_000)
        + _text(0x4D80, "simulator")
        + _text(0x5741, "simulator")
        + _seconds(len(frames)),
    )
    video = _box(0xE0, _whole(0xB0, _WIDTH) + _whole(0xBA, _HEIGHT))
    track = _box(0xAE, _whole(0xD7, 1) + _whole(0x73C5, 1) + _whole(0x83, 1) + _text(0x86, "V_VP8") + video)
    clusters = b"".join(_cluster(frame, place * FRAME_MS) for place, frame in enumerate(frames))
    return _HEADER + _box(0x18538067, info + _box(0x1654AE6B, track) + clusters)


def _key_frame(view: View) -> bytes:
    file = BytesIO()
    pictures.draw(view).image.resize((_WIDTH, _HEIGHT)).save(file, "WEBP", quality=70, method=0)
    riff = file.getvalue()
    place = riff.index(b"VP8 ") + 4
    return riff[place + 4 : place + 4 + int.from_bytes(riff[place : place + 4], "little")]


def _cluster(frame: bytes, at_ms: int) -> bytes:
    """One frame with its time; the block's flags say key frame."""
    return _box(0x1F43B675, _whole(0xE7, at_ms) + _box(0xA3, b"\x81\x00\x00\x80" + frame))


def _box(number: int, content: bytes) -> bytes:
    """Matroska's element: number, length in eight bytes, content."""
    return _digits(number) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def _whole(number: int, value: int) -> bytes:
    return _box(number, _digits(value))


def _text(number: int, value: str) -> bytes:
    return _box(number, value.encode())


def _seconds(frames: int) -> bytes:
    return _box(0x4489, struct.pack(">d", float(frames * FRAME_MS)))


def _digits(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


_HEADER = _box(
    0x1A45DFA3,
    _whole(0x4286, 1)
    + _whole(0x42F7, 1)
    + _whole(0x42F2, 4)
    + _whole(0x42F3, 8)
    + _text(0x4282, "webm")
    + _whole(0x4287, 2)
    + _whole(0x4285, 2),
)
