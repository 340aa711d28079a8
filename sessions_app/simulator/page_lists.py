"""Pages that list things: a table, cards. Each has a drawing and a place for the pointer."""

from typing import TYPE_CHECKING

from .canvas import AMBER, FAINT, GREEN, INK, LINE, RED, SOFT, WHITE, Canvas, Color, darker, tint
from .dice import Dice, mix
from .page_parts import TOP, capital, chosen_row, heading, name, row_key, section

if TYPE_CHECKING:
    from .pictures import View

_STATES = (("Open", AMBER), ("Matched", GREEN), ("Waiting", SOFT), ("Confirmed", GREEN), ("Expired", RED))


# --- table ---
_ROW_TOP, _ROW = TOP + 190, 46


def table(canvas: Canvas, view: "View") -> None:
    accent = view.script.accent
    heading(canvas, view, section(view), f"{Dice(view.key, 2).between(26, 140)} entries, last updated today")
    canvas.button(1120, TOP + 28, "Export", accent, filled=False, w=120)
    canvas.button(968, TOP + 28, "New entry", accent, w=140)
    canvas.box(40, TOP + 96, 300, 36, WHITE, (205, 211, 218), 7)
    canvas.text(
        56,
        TOP + 106,
        view.item if view.position == 0 else "Search ...",
        14,
        INK if view.position == 0 else FAINT,
        width=260,
    )
    for place, word in enumerate(("All", "Open", "Due this week")):
        canvas.button(352 + place * 132, TOP + 96, word, accent, filled=place == view.turn % 3, w=120)
    canvas.box(40, TOP + 148, 1200, 42 + 9 * _ROW, WHITE, LINE, 8)
    for x, word in ((64, "Name"), (400, "Reference"), (590, "Date"), (740, "Status"), (1000, "Quantity")):
        canvas.text(x, TOP + 162, word, 13, SOFT, bold=True)
    canvas.text_right(1216, TOP + 162, "Total", 13, SOFT, bold=True)
    for row in range(9):
        _table_row(canvas, view, row)
    if view.position in (1, 2):
        _drawer(canvas, view)


def _table_row(canvas: Canvas, view: "View", row: int) -> None:
    y, dice = _ROW_TOP + row * _ROW, Dice(row_key(view, row), 1)
    if row == chosen_row(view, 9) and view.position >= 0:
        canvas.box(41, y + 1, 1198, _ROW - 2, tint(view.script.accent, 0.09), None, 0)
        canvas.box(41, y + 1, 4, _ROW - 2, view.script.accent, None, 0)
    canvas.rule(41, y, 1198)
    word, color = dice.pick(_STATES)
    canvas.text(64, y + 15, name(view, row), 14, INK, bold=True, width=310)
    canvas.text(400, y + 15, f"{view.script.site[:2].upper()}-{dice.between(10_000, 99_999)}", 14, SOFT)
    canvas.text(590, y + 15, f"{dice.between(1, 28)} {dice.pick(('May', 'June', 'July'))}", 14, SOFT)
    canvas.pill(740, y + 12, word, color)
    canvas.text(1000, y + 15, str(dice.between(1, 900)), 14, SOFT)
    canvas.text_right(1216, y + 15, f"${dice.between(90, 9_400):,}.{dice.between(0, 99):02d}", 14, INK)


def _drawer(canvas: Canvas, view: "View") -> None:
    """Details of the chosen row, from the right."""
    x, y, dice = 800, TOP + 1, Dice(row_key(view, chosen_row(view, 9)), 2)
    canvas.box(x - 6, y, 500, 700, (214, 219, 225), None, 0)
    canvas.box(x, y, 500, 700, WHITE, LINE, 0)
    canvas.text(x + 30, y + 26, view.item, 21, INK, bold=True, width=360)
    canvas.pill(x + 30, y + 60, "Details", view.script.accent)
    lines = ("Base price", "Surcharge", "Handling", "Insurance", "Documents")
    for place, word in enumerate(lines):
        top = y + 106 + place * 44
        current = place == view.turn % len(lines)
        if current:
            canvas.box(x + 18, top - 8, 444, 38, tint(view.script.accent, 0.09), None, 6)
        canvas.text(x + 30, top + 2, word, 14, INK if current else SOFT)
        canvas.text_right(
            x + 450, top + 2, f"${dice.between(12, 1_900):,}.{dice.between(0, 99):02d}", 14, INK, bold=current
        )
    canvas.rule(x + 30, y + 334, 420)
    canvas.text(x + 30, y + 352, "Total", 16, INK, bold=True)
    canvas.text_right(x + 450, y + 350, f"${dice.between(2_000, 9_000):,}.00", 18, INK, bold=True)
    canvas.paragraph(
        x + 30,
        y + 402,
        "Valid for seven days. Times are calendar days and may change with the season.",
        410,
        13,
    )
    canvas.button(x + 30, y + 480, "Accept", view.script.accent, w=200)
    canvas.button(x + 244, y + 480, "Close", SOFT, filled=False, w=120)


def table_focus(view: "View") -> tuple[int, int]:
    if view.position in (1, 2):
        return 1010, TOP + 118 + view.turn % 5 * 44
    return 150 + view.position * 30, _ROW_TOP + chosen_row(view, 9) * _ROW + 24


# --- cards ---
_SHOP_FILTERS = ("In stock", "Free shipping", "New", "On offer", "4 stars and more", "Nearby")
_STAY_FILTERS = (
    "Breakfast included",
    "Free cancellation",
    "Parking",
    "Quiet",
    "4 stars and more",
    "Near the fair",
)


def cards(canvas: Canvas, view: "View") -> None:
    accent = view.script.accent
    heading(canvas, view, capital(view.subject), f"{Dice(view.key, 2).between(24, 96)} results")
    canvas.box(40, TOP + 98, 232, 520, WHITE, LINE, 8)
    canvas.text(60, TOP + 116, "Filter", 16, INK, bold=True)
    for place, word in enumerate(_STAY_FILTERS if view.scene == "rooms" else _SHOP_FILTERS):
        y = TOP + 152 + place * 34
        ticked = mix(view.key + place) % 3 == 0
        canvas.box(60, y, 18, 18, accent if ticked else WHITE, accent if ticked else FAINT, 4)
        if ticked:
            canvas.lines([(64, y + 9), (68, y + 13), (75, y + 5)], WHITE)
        canvas.text(88, y + 1, word, 14, SOFT)
    canvas.text(60, TOP + 376, "Price", 16, INK, bold=True)
    canvas.box(60, TOP + 412, 190, 5, LINE, None, 2)
    canvas.box(60, TOP + 412, 90 + view.turn % 5 * 18, 5, accent, None, 2)
    canvas.disc(150 + view.turn % 5 * 18, TOP + 414, 9, WHITE, accent, 2)
    for place in range(6):
        _card(canvas, view, place)
    canvas.button(
        680, TOP + 606, "Load more", accent, filled=False, w=180, pressed="Load more" in view.summary
    )


def _card_corner(place: int) -> tuple[int, int]:
    return 296 + place % 3 * 318, TOP + 98 + place // 3 * 252


def _card(canvas: Canvas, view: "View", place: int) -> None:
    (x, y), dice = _card_corner(place), Dice(row_key(view, place + view.turn // 3 * 7), 3)
    chosen = place == chosen_row(view, 6) and view.position >= 0
    accent = view.script.accent
    canvas.box(x, y, 304, 240, WHITE, accent if chosen else LINE, 10, 2 if chosen else 1)
    shade = (dice.between(120, 220), dice.between(130, 215), dice.between(140, 225))
    canvas.box(x + 12, y + 12, 280, 118, tint(shade, 0.55), None, 8)
    _picture(canvas, x + 152, y + 72, shade, 3 if view.scene == "rooms" else dice.between(0, 2))
    canvas.text(
        x + 16,
        y + 142,
        capital(view.item if chosen else dice.pick(view.script.items)),
        16,
        INK,
        bold=True,
        width=270,
    )
    note = (
        f"{dice.between(3, 24)} min from the centre"
        if view.scene == "rooms"
        else f"{capital(view.subject)}, series {dice.between(2, 9)}"
    )
    canvas.text(x + 16, y + 166, note, 13, SOFT, width=270)
    stars = dice.between(3, 5)
    for star in range(5):
        canvas.disc(x + 22 + star * 15, y + 191, 5, (232, 163, 23) if star < stars else LINE)
    canvas.text(x + 104, y + 184, f"({dice.between(12, 940)})", 12, FAINT)
    canvas.text(
        x + 16, y + 207, f"${dice.between(49, 690)}.{dice.pick(('00', '50', '90', '99'))}", 18, INK, bold=True
    )
    canvas.box(x + 204, y + 202, 84, 30, accent if chosen else WHITE, accent if chosen else LINE, 6)
    canvas.text(x + 226, y + 209, "View", 14, WHITE if chosen else INK)


def _picture(canvas: Canvas, x: int, y: int, shade: tuple[int, int, int], kind: int) -> None:
    """Something like a product on its background."""
    dark = darker(shade)
    if kind == 0:
        canvas.box(x - 62, y - 22, 124, 12, dark, None, 3)
        canvas.box(x - 52, y - 10, 9, 50, dark, None, 2)
        canvas.box(x + 43, y - 10, 9, 50, dark, None, 2)
    elif kind == 1:
        canvas.box(x - 48, y - 38, 96, 62, dark, None, 6)
        canvas.box(x - 42, y - 32, 84, 50, tint(shade, 0.8), None, 3)
        canvas.box(x - 12, y + 24, 24, 14, dark, None, 2)
    elif kind == 3:
        _houses(canvas, x, y, dark, tint(shade, 0.25))
    else:
        canvas.disc(x, y, 40, dark)
        canvas.disc(x, y, 24, tint(shade, 0.7))


def _houses(canvas: Canvas, x: int, y: int, wall: Color, window: Color) -> None:
    for left, height in ((-70, 64), (-14, 92), (40, 76)):
        canvas.box(x + left, y + 56 - height, 46, height, wall, None, 2)
        for place in range(height // 22 * 2):
            canvas.box(
                x + left + 9 + place % 2 * 18, y + 66 - height + place // 2 * 22, 10, 12, window, None, 1
            )


def cards_focus(view: "View") -> tuple[int, int]:
    if "Load more" in view.summary:
        return 776, TOP + 626
    x, y = _card_corner(chosen_row(view, 6))
    return x + 240 - max(0, view.position) * 40, y + 218 - max(0, view.position) * 26
