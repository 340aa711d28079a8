"""From bytes that somebody sent to two WebP pictures of our own making.  Pure: bytes in, bytes out."""

from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from .errors import BadPicture

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 6_000_000
"""A PNG of 641 KiB can take 660 MiB; refused by this before anything is decoded, it takes 15."""
FULL_WIDTH, THUMB_WIDTH, THUMB_NEAR_ENOUGH = 1600, 480, 400
QUALITY, THUMB_QUALITY = 78, 72
WHITE = (255, 255, 255)


class Picture(NamedTuple):
    """A picture as it is stored.  `content_hash` is that of the bytes it was made from; the size is that of `full`."""

    content_hash: str
    full: bytes
    thumb: bytes
    width: int
    height: int


def hash_of(data: bytes) -> str:
    """The name of a picture: 64 hexadecimal digits.  Known before decoding, so what is known costs no decoding."""
    return sha256(data).hexdigest()


def make(data: bytes) -> Picture:
    """Decode, shrink and re-encode: nothing of the sender's bytes survives.  Raises BadPicture."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _check_size(image)
            full = _decoded(image)
            thumb = thumbnail(full)
            return Picture(hash_of(data), _webp(full, QUALITY), _webp(thumb, THUMB_QUALITY), *full.size)
    except BadPicture:
        raise
    except Exception as error:  # noqa: BLE001 decoders meet broken bytes with whatever comes to hand
        raise BadPicture(f"The picture cannot be decoded ({type(error).__name__}).") from None


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise BadPicture(f"The picture is {width:,} × {height:,} pixels: more than we decode.")


def _decoded(image: Image.Image) -> Image.Image:
    """In plain RGB, at most FULL_WIDTH wide.  A large JPEG is decoded at a fraction (`draft`): that skips most work."""
    if image.format == "JPEG":
        image.draft("RGB", (FULL_WIDTH, FULL_WIDTH))
    image.load()
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, WHITE)
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    return _shrunk(image if image.mode == "RGB" else image.convert("RGB"), FULL_WIDTH)


def thumbnail(image: Image.Image) -> Image.Image:
    """At most THUMB_WIDTH wide: by a whole factor where that comes near enough, for it costs a fifth of doing it smoothly.

    1280 pixels become 427; the floor shows 320.
    """
    factor = -(-image.width // THUMB_WIDTH)
    if factor > 1 and image.width // factor >= THUMB_NEAR_ENOUGH:
        return image.reduce(factor)
    return _shrunk(image, THUMB_WIDTH)


def _shrunk(image: Image.Image, width: int) -> Image.Image:
    """At most `width` wide: first by a whole factor, which is cheap, then smoothly."""
    if image.width <= width:
        return image
    size = (width, max(1, round(image.height * width / image.width)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5)


def _webp(image: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=quality, method=0)
    return file.getvalue()
