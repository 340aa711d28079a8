"""From somebody's bytes to two pictures of our own."""

import tracemalloc
from io import BytesIO

import pytest
from PIL import Image

from sessions_app.screenshots import image
from sessions_app.screenshots.errors import BadPicture
from tests.support.picture_host import bomb, jpeg, png


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.parametrize("data", [png(), jpeg(), jpeg(mode="L"), png(mode="RGBA", colour=(0, 0, 0, 0))])
def test_full_and_thumbnail_as_webp(data):
    made = image.make(data)
    assert (opened(made.full).format, opened(made.full).size) == ("WEBP", (1280, 800))
    assert (opened(made.thumb).format, opened(made.thumb).size) == ("WEBP", (427, 267))
    assert (made.width, made.height) == (1280, 800)
    assert made.content_hash == image.hash_of(data) and len(made.content_hash) == 64


def test_what_is_transparent_becomes_white():
    made = image.make(png(64, 40, (0, 0, 0, 0), "RGBA"))
    assert min(opened(made.full).getpixel((5, 5))) > 245


def test_a_wide_one_is_made_smaller():
    made = image.make(jpeg(2560, 1600))
    assert (made.width, made.height) == (1600, 1000)


@pytest.mark.parametrize(
    ("width", "thumb"), [(320, 320), (480, 480), (500, 480), (799, 480), (800, 400), (960, 480), (1600, 400)]
)
def test_a_thumbnail_is_as_wide_as_the_floor_shows_it_and_not_much_wider(width, thumb):
    assert opened(image.make(png(width, 40)).thumb).width == thumb


def test_a_bomb_is_refused_before_it_is_decoded():
    data = bomb()
    image.make(png(8, 8))  # the codecs are loaded
    tracemalloc.start()
    with pytest.raises(BadPicture, match="12,000 × 12,000"):
        image.make(data)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script>",
        png()[:600],
        jpeg()[:900],
        png().replace(b"IDAT", b"IDAX"),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        b"GIF89a" + b"\0" * 64,
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(BadPicture):
        image.make(data)


def test_nothing_of_the_sender_survives():
    plain = opened(png(32, 20))
    file = BytesIO()
    plain.save(file, "JPEG", exif=b"Exif\0\0 secret place", comment=b"<script>alert(1)</script>")
    made = image.make(file.getvalue())
    assert b"secret place" not in made.full and b"script" not in made.full + made.thumb
