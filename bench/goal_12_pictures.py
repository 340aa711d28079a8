"""Goal 12: what a picture costs, from the vendor's JPEG to what is kept; and one that has not changed.  CPU time.

A page as an agent sees it, 1280 × 800.  We keep it twice, whole and as a thumbnail, so the other side does, too.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import count

from django.conf import settings
from PIL import Image

from bench.harness import Row, below, medians, within
from sessions_app.models import AgentSession
from sessions_app.screenshots import image, storage
from sessions_app.screenshots.capture import fetch
from sessions_app.simulator.pictures import View, encoded
from tests.support.factories import make_session
from tests.support.picture_host import picture_host

AT_ONCE = 4
"""Pictures per turn."""
PAGE = View(
    "freight", 5, 7, "https://freight.example/offers", "steel", "offer", "Reading an offer", 1, 2, True
)


def rows(database: str) -> Iterator[Row]:
    settings.UPSTREAM_IS_LOOPBACK = True
    data = encoded(PAGE, "jpg")
    yield from _made(data)
    yield from _kept(data)


def _made(data: bytes) -> Iterator[Row]:
    sides = {
        "naive": lambda: _naive(data),
        "ours": lambda: image.make(data),
        "naive thumbnail": lambda: _thumbnail(_opened(data), Image.Resampling.LANCZOS, 4),
        "thumbnail": _ours_of(_opened(data)),
        "decode": lambda: _opened(data),
    }
    seconds = medians({name: _times(side) for name, side in sides.items()})
    ms = {name: value / AT_ONCE * 1000 for name, value in seconds.items()}
    both = f"picture and thumbnail of a JPEG, Pillow as it comes {ms['naive']:.1f} ms"
    yield below(12, both, f"{ms['ours']:.1f} ms CPU", ms["naive"] / ms["ours"], 3)
    only = f"the thumbnail's part of it, Pillow as it comes {ms['naive thumbnail']:.1f} ms"
    yield below(12, only, f"{ms['thumbnail']:.1f} ms CPU", ms["naive thumbnail"] / ms["thumbnail"], 3)
    than = f"the thumbnail's part of it, decoding alone {ms['decode']:.1f} ms"
    yield within(12, than, f"{ms['thumbnail']:.1f} ms CPU", ms["thumbnail"] / ms["decode"], 1.6)


def _kept(data: bytes) -> Iterator[Row]:
    """Over real HTTP; the little server that gives the bytes away works in this process, on both sides alike."""
    numbers = count()
    with picture_host() as host:

        def new() -> None:
            # What follows a JPEG's end changes its hash and nothing else.
            host.files["/new.jpg"] = ("image/jpeg", data + b"\0" + str(next(numbers)).encode())
            _keep(make_session(), host.url("/new.jpg"))

        host.files["/same.jpg"] = ("image/jpeg", data)
        same = make_session()
        _keep(same, host.url("/same.jpg"))
        same.refresh_from_db()
        sides = {"new": new, "unchanged": lambda: _keep(same, host.url("/same.jpg"))}
        seconds = medians({name: _times(side) for name, side in sides.items()})
    ms = {name: value / AT_ONCE * 1000 for name, value in seconds.items()}
    what = f"a picture that has not changed, one that has {ms['new']:.1f} ms (fetch, thumbnail, keep)"
    yield below(12, what, f"{ms['unchanged']:.1f} ms CPU", ms["new"] / ms["unchanged"], 4)


def _keep(session: AgentSession, url: str) -> None:
    data = fetch(url, allow_loopback=True)
    storage.keep(session, data, step_count=1, taken_at=datetime.now(UTC))


def _ours_of(whole: Image.Image) -> Callable[[], bytes]:
    return lambda: image._webp(image.thumbnail(whole), image.THUMB_QUALITY)


def _naive(data: bytes) -> tuple[bytes, bytes]:
    whole = _opened(data)
    return _webp(whole, image.QUALITY, 4), _thumbnail(whole, Image.Resampling.LANCZOS, 4)


def _opened(data: bytes) -> Image.Image:
    opened = Image.open(BytesIO(data))
    opened.load()
    return opened


def _thumbnail(whole: Image.Image, how: Image.Resampling, method: int) -> bytes:
    thumb = whole.copy()
    thumb.thumbnail((image.THUMB_WIDTH, image.THUMB_WIDTH), how)
    return _webp(thumb, image.THUMB_QUALITY, method)


def _webp(picture: Image.Image, quality: int, method: int) -> bytes:
    file = BytesIO()
    picture.save(file, "WEBP", quality=quality, method=method)
    return file.getvalue()


def _times(side: Callable[[], object]) -> Callable[[], None]:
    def several() -> None:
        for _ in range(AT_ONCE):
            side()

    return several
