"""Screenshots: what the agent's browser shows at a step, 1280 × 800, as PNG or JPEG.

Drawn when asked for, from the scene, the task's key and the step alone, and kept for a while.
"""

from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from . import scenes
from .canvas import FAINT, HEIGHT, INK, LINE, SOFT, WHITE, WIDTH, Canvas, tint
from .layouts import LAYOUTS
from .model import Task
from .page_parts import PAGE_TOP
from .scripts import SCENES, Scene

_DIALOGS = ("cookie", "newsletter", "alert", "terms")
_QUALITY = 82


class View(NamedTuple):
    """All that a picture depends on."""

    scene: str
    key: int
    step: int  # 0: nothing opened yet
    url: str
    subject: str
    item: str
    summary: str
    position: int  # in the cycle; -1 before and after it
    turn: int  # how many rounds of the cycle are done
    cursor: bool

    @property
    def script(self) -> Scene:
        return SCENES[self.scene]

    @property
    def overlay(self) -> str:
        """ "signin", "dialog" or "": what lies over the page."""
        words = self.summary.lower()
        if words.startswith("signing in"):
            return "signin"
        return "dialog" if any(word in words for word in _DIALOGS) else ""


def view(task: Task | None, step: int, *, cursor: bool) -> View:
    """What to draw for a task's step (1-based)."""
    if task is None or step < 1:
        return View("freight", 0, 0, "about:blank", "", "", "", -1, 0, cursor)
    script = SCENES[task.scene]
    inside = len(script.opening) < step and not task.planned - len(script.closing) < step <= task.planned
    looping = task.loop_from is not None and step >= task.loop_from
    seen = task.loop_from if looping and task.loop_from is not None else step
    return View(
        task.scene, task.key, step, scenes.url(task, seen), scenes.subject(task), scenes.item(task, seen), scenes.summary(task, step),
        scenes.cycle_position(task, seen) if inside else -1, max(0, step - len(script.opening) - 1) // len(script.cycle), cursor,
    )  # fmt: skip


def focus(shown: View) -> tuple[int, int]:
    """Where the agent's pointer is."""
    if shown.step == 0:
        return WIDTH // 2, HEIGHT // 2
    if shown.overlay:
        return 700, 520
    return LAYOUTS[shown.script.layout].focus(shown)


@lru_cache(maxsize=192)
def encoded(shown: View, ending: str) -> bytes:
    """The picture as a file; `ending` is png or jpg."""
    canvas, file = draw(shown), BytesIO()
    if ending == "png":
        canvas.image.save(file, "PNG", compress_level=1)
    else:
        canvas.image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def draw(shown: View) -> Canvas:
    canvas = Canvas(WHITE if shown.step == 0 else (246, 247, 249))
    if shown.step:
        _site_header(canvas, shown)
        LAYOUTS[shown.script.layout].draw(canvas, shown)
        _overlay(canvas, shown)
    _chrome(canvas, shown)
    if shown.cursor and shown.step:
        _pointer(canvas, *focus(shown), clicking=_clicks(shown))
    return canvas


def _clicks(shown: View) -> bool:
    return shown.summary.split(" ", 1)[0] in (
        "Clicking",
        "Opening",
        "Submitting",
        "Accepting",
        "Marking",
        "Choosing",
        "Agreeing",
    )


def _chrome(canvas: Canvas, shown: View) -> None:
    """Tabs, arrows and the address bar."""
    canvas.box(0, 0, WIDTH, 40, (222, 226, 231), None, 0)
    title = (
        f"{shown.subject[:1].upper()}{shown.subject[1:]} - {shown.script.site}" if shown.step else "New tab"
    )
    canvas.box(10, 7, 268, 46, WHITE, None, 9)
    if shown.step:
        canvas.box(22, 15, 16, 16, shown.script.accent, None, 4)
    canvas.text(46, 15, title, 13, INK, width=196)
    canvas.text(258, 14, "x", 13, SOFT)
    canvas.text(296, 12, "+", 18, SOFT)
    canvas.box(0, 40, WIDTH, PAGE_TOP - 40, WHITE, None, 0)
    canvas.lines([(30, 54), (22, 62), (30, 70)], SOFT)
    canvas.lines([(62, 54), (70, 62), (62, 70)], (196, 202, 209))
    canvas.disc(104, 62, 7, None, SOFT, 2)
    canvas.shape([(108, 52), (115, 57), (107, 60)], SOFT)
    canvas.box(132, 47, 1060, 30, (240, 242, 245), None, 15)
    if shown.step:
        canvas.box(147, 60, 10, 8, SOFT, None, 2)
        canvas.lines([(149, 60), (149, 56), (155, 56), (155, 60)], SOFT)
    canvas.text(168, 54, shown.url.removeprefix("https://"), 14, INK, width=980)
    for dot in (54, 62, 70):
        canvas.disc(1238, dot, 2, SOFT)
    canvas.rule(0, PAGE_TOP, WIDTH, (212, 217, 223))


def _site_header(canvas: Canvas, shown: View) -> None:
    script = shown.script
    canvas.box(0, PAGE_TOP, WIDTH, 58, WHITE, None, 0)
    canvas.box(32, PAGE_TOP + 14, 30, 30, script.accent, None, 8)
    canvas.text(41, PAGE_TOP + 20, script.site[0], 18, WHITE, bold=True)
    canvas.text(74, PAGE_TOP + 20, script.site, 18, INK, bold=True)
    section = script.path.strip("/").split("/")[0].capitalize()
    for place, word in enumerate(("Overview", section, "History", "Help")):
        canvas.text(
            380 + place * 110, PAGE_TOP + 22, word, 14, script.accent if place == 1 else SOFT, bold=place == 1
        )
    canvas.box(490, PAGE_TOP + 55, canvas.width(section), 3, script.accent, None, 1)
    canvas.disc(1230, PAGE_TOP + 29, 15, tint(script.accent, 0.2))
    canvas.text(1221, PAGE_TOP + 22, "AB", 13, script.accent, bold=True)
    canvas.rule(0, PAGE_TOP + 58, WIDTH)


def _overlay(canvas: Canvas, shown: View) -> None:
    if not shown.overlay:
        return
    canvas.image.paste((0, 0, 0), (0, PAGE_TOP + 1, WIDTH, HEIGHT), _shade())
    canvas.box(440, 240, 400, 340, WHITE, LINE, 12)
    if shown.overlay == "signin":
        canvas.text(476, 272, f"Sign in to {shown.script.site}", 20, INK, bold=True, width=330)
        canvas.field(476, 318, 328, "E-mail", "agent@pinewell.example", shown.script.accent)
        canvas.field(476, 388, 328, "Password", "* * * * * * * * * *", shown.script.accent, active=True)
        canvas.button(476, 496, "Sign in", shown.script.accent, w=328, pressed=True)
        canvas.text(476, 548, "Forgot your password?", 13, SOFT)
    else:
        canvas.text(476, 272, "Before you continue", 20, INK, bold=True)
        canvas.paragraph(476, 314, f"{shown.script.site} and its partners would like to remember this visit, measure how the "
                         "site is used and send you news now and then. You can change your mind at any time.", 328)  # fmt: skip
        canvas.button(476, 502, "Settings", SOFT, filled=False, w=130)
        canvas.button(620, 502, "Continue", shown.script.accent, w=184, pressed=True)


@lru_cache(maxsize=1)
def _shade() -> Image.Image:
    return Image.new("L", (WIDTH, HEIGHT - PAGE_TOP - 1), 96)


def _pointer(canvas: Canvas, x: int, y: int, *, clicking: bool) -> None:
    if clicking:
        canvas.disc(x, y, 19, None, (255, 138, 30), 3)
        canvas.disc(x, y, 12, None, (255, 190, 120), 2)
    arrow = [(0, 0), (0, 22), (5, 17), (9, 26), (13, 24), (9, 16), (16, 16)]
    canvas.shape([(x + dx + 2, y + dy + 2) for dx, dy in arrow], FAINT)
    canvas.shape([(x + dx, y + dy) for dx, dy in arrow], (20, 20, 24), WHITE)
