"""Drawing words and boxes, a little above Pillow.

Pillow's built-in typeface is used, so that pictures look the same on every machine; it knows ASCII only.
"""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

type Color = tuple[int, int, int]

WIDTH, HEIGHT = 1280, 800
INK, SOFT, FAINT = (28, 36, 48), (88, 99, 115), (140, 150, 163)
LINE, PAPER, WHITE = (225, 229, 234), (246, 247, 249), (255, 255, 255)
GREEN, AMBER, RED = (30, 132, 73), (176, 106, 0), (190, 48, 48)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


@lru_cache(maxsize=8192)
def _stamp(words: str, size: int, bold: bool) -> tuple[Image.Image, int, int]:
    """Words as a mask to print through, and its offset. FreeType takes 0.2 ms for a line; most lines come again at the next step."""
    font, stroke = _font(size), 0.4 if bold else 0
    left, top, right, bottom = font.getbbox(words, stroke_width=stroke)
    mask = Image.new("L", (max(1, round(right - left) + 2), max(1, round(bottom - top) + 2)))
    ImageDraw.Draw(mask).text((-left, -top), words, font=font, fill=255, stroke_width=stroke)
    return mask, round(left), round(top)


@lru_cache(maxsize=8192)
def _length(words: str, size: int) -> float:
    return _font(size).getlength(words)


def tint(color: Color, share: float) -> Color:
    """The colour on white paper: 1 is itself, 0 is white."""
    red, green, blue = (round(255 - (255 - part) * share) for part in color)
    return red, green, blue


def darker(color: Color) -> Color:
    red, green, blue = color
    return red * 6 // 10, green * 6 // 10, blue * 6 // 10


class Canvas:
    def __init__(self, background: Color = PAPER) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT), background)
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self,
        x: int,
        y: int,
        words: str,
        size: int = 14,
        color: Color = INK,
        *,
        bold: bool = False,
        width: int = 0,
    ) -> None:
        """Words with their top left at (x, y), cut with dots where they'd be wider than `width`."""
        words = words.encode("ascii", "replace").decode()
        if width and _length(words, size) > width:
            while words and _length(words + "...", size) > width:
                words = words[:-1]
            words = words.rstrip() + "..."
        if words:
            mask, left, top = _stamp(words, size, bold)
            self.image.paste(color, (x + left, y + top), mask)

    @staticmethod
    def width(words: str, size: int = 14) -> int:
        return round(_length(words, size))

    def text_right(
        self, x: int, y: int, words: str, size: int = 14, color: Color = INK, *, bold: bool = False
    ) -> None:
        self.text(x - self.width(words, size), y, words, size, color, bold=bold)

    def paragraph(
        self, x: int, y: int, words: str, width: int, size: int = 14, color: Color = SOFT, leading: int = 22
    ) -> int:
        """Wrapped words; the y below them."""
        left, space = x, self.width("n", size) // 2
        for word in words.split():
            if left > x and left + self.width(word, size) > x + width:
                left, y = x, y + leading
            self.text(left, y, word, size, color)
            left += self.width(word, size) + space
        return y + leading

    def box(
        self,
        x: int,
        y: int,
        w: int,
        h: int,
        fill: Color | None = WHITE,
        outline: Color | None = LINE,
        radius: int = 6,
        line: int = 1,
    ) -> None:
        self._draw.rounded_rectangle((x, y, x + w, y + h), radius, fill, outline, line if outline else 0)

    def rule(self, x: int, y: int, w: int, color: Color = LINE) -> None:
        self._draw.line((x, y, x + w, y), color)

    def lines(self, points: list[tuple[int, int]], color: Color, width: int = 2) -> None:
        self._draw.line(points, color, width, joint="curve")

    def shape(self, points: list[tuple[int, int]], fill: Color, outline: Color | None = None) -> None:
        self._draw.polygon(points, fill, outline)

    def disc(
        self, x: int, y: int, radius: int, fill: Color | None, outline: Color | None = None, line: int = 1
    ) -> None:
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, outline, line)

    def button(
        self,
        x: int,
        y: int,
        words: str,
        color: Color,
        *,
        filled: bool = True,
        w: int = 0,
        pressed: bool = False,
    ) -> int:
        """A button; its width is returned."""
        w = w or self.width(words) + 32
        if pressed:
            self.box(x - 3, y - 3, w + 6, 42, None, tint(color, 0.45), 9, 2)
        self.box(x, y, w, 36, color if filled else WHITE, color if filled else LINE, 7)
        self.text(x + (w - self.width(words)) // 2, y + 9, words, 14, WHITE if filled else INK, bold=filled)
        return w

    def pill(self, x: int, y: int, words: str, color: Color) -> int:
        w = self.width(words, 12) + 20
        self.box(x, y, w, 22, tint(color, 0.13), None, 11)
        self.text(x + 10, y + 4, words, 12, color, bold=True)
        return w

    def field(
        self, x: int, y: int, w: int, label: str, value: str, accent: Color, *, active: bool = False
    ) -> None:
        self.text(x, y, label, 13, SOFT, width=w)
        self.box(x, y + 20, w, 38, WHITE, accent if active else (205, 211, 218), 6, 2 if active else 1)
        self.text(x + 12, y + 31, value, 14, INK, width=w - 24)
        if active:
            caret = x + 14 + min(self.width(value), w - 28)
            self.lines([(caret, y + 29), (caret, y + 49)], accent, 1)
