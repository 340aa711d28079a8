"""Pages to read: search results, an article, an inbox. Each has a drawing and a place for the pointer."""

from typing import TYPE_CHECKING

from .canvas import AMBER, FAINT, GREEN, INK, LINE, PAPER, RED, SOFT, WHITE, Canvas, tint
from .dice import Dice, mix
from .page_parts import TOP, capital, chosen_row, row_key

if TYPE_CHECKING:
    from .pictures import View


# --- search results ---
def results(canvas: Canvas, view: "View") -> None:
    accent = view.script.accent
    canvas.box(40, TOP + 24, 760, 46, WHITE, (205, 211, 218), 23)
    canvas.text(66, TOP + 38, view.subject, 16, INK, width=600)
    canvas.button(690, TOP + 29, "Search", accent, w=100)
    canvas.text(
        44,
        TOP + 84,
        f"About {Dice(view.key, 2).between(180, 2400):,} results, page {view.turn + 1}",
        13,
        FAINT,
    )
    for place in range(5):
        _result(canvas, view, place)
    canvas.button(
        310, TOP + 608, "Load more", accent, filled=False, w=180, pressed="Load more" in view.summary
    )
    _facts(canvas, view)


def _result(canvas: Canvas, view: "View", place: int) -> None:
    y, dice = TOP + 110 + place * 98, Dice(row_key(view, place + view.turn * 5), 4)
    chosen = place == chosen_row(view, 5) and view.position >= 0
    accent = view.script.accent
    canvas.box(40, y, 760, 88, tint(accent, 0.06) if chosen else WHITE, accent if chosen else LINE, 8)
    canvas.box(56, y + 16, 56, 56, tint(accent, 0.12 + 0.1 * dice.between(0, 4)), None, 8)
    canvas.text(
        128,
        y + 14,
        capital(view.item if chosen else dice.pick(view.script.items)),
        17,
        accent,
        bold=True,
        width=480,
    )
    canvas.text(
        128,
        y + 38,
        f"{view.script.host} / {view.script.path.strip('/')} / {dice.between(1000, 9999)}",
        12,
        GREEN,
    )
    canvas.text(128, y + 58, dice.pick(_SNIPPETS), 13, SOFT, width=650)
    canvas.text_right(784, y + 16, f"{dice.between(30, 50) / 10:.1f} / 5", 14, INK, bold=True)


_SNIPPETS = (
    "Updated this week. Open Monday to Friday, answers within a day, ships to the whole region.",
    "It arrived two days late and the manual was missing, but support sent one the same evening.",
    "Direct, 2 h 55 min. One cabin bag included, seat choice from $12, changes until the day before.",
    "Family business since 1987 with a team of fourteen; contact form and telephone on the page.",
    "Works as described. Setting it up took ten minutes; the second unit had a loose cable.",
)


def _facts(canvas: Canvas, view: "View") -> None:
    canvas.box(832, TOP + 24, 408, 580, WHITE, LINE, 10)
    canvas.text(858, TOP + 44, "Narrow down", 18, INK, bold=True)
    dice = Dice(view.key, 6)
    for place, word in enumerate(("This month", "Verified", "With pictures", "Nearby", "Best rated")):
        y, share = TOP + 92 + place * 52, dice.between(20, 96)
        canvas.text(858, y, word, 14, SOFT)
        canvas.text_right(1214, y, str(share * 7), 13, FAINT)
        canvas.box(858, y + 22, 356, 8, PAPER, None, 4)
        canvas.box(858, y + 22, 356 * share // 100, 8, tint(view.script.accent, 0.7), None, 4)
    canvas.rule(858, TOP + 370, 356)
    canvas.text(858, TOP + 390, "Summary", 16, INK, bold=True)
    canvas.paragraph(858, TOP + 418, "Most entries are from the last four weeks. Delivery and setting up are named most often, "
                     "followed by price and noise.", 350)  # fmt: skip
    canvas.button(858, TOP + 540, "Save search", view.script.accent, filled=False, w=170)


def results_focus(view: "View") -> tuple[int, int]:
    if "Load more" in view.summary:
        return 408, TOP + 628
    return 240 + max(0, view.position) * 70, TOP + 134 + chosen_row(view, 5) * 98


# --- article ---
def article(canvas: Canvas, view: "View") -> None:
    accent, dice = view.script.accent, Dice(view.key, 5 + view.turn // 3)
    canvas.text(40, TOP + 26, "Contents", 15, INK, bold=True)
    for place in range(9):
        current = place == view.turn % 9
        if current:
            canvas.box(30, TOP + 56 + place * 34, 4, 24, accent, None, 2)
        canvas.text(
            44,
            TOP + 60 + place * 34,
            f"{place + 1}. {_SECTIONS[place]}",
            14,
            accent if current else SOFT,
            width=220,
        )
    canvas.box(300, TOP + 20, 940, 640, WHITE, LINE, 6)
    canvas.text(
        340,
        TOP + 48,
        f"{capital(view.subject)}: {_SECTIONS[view.turn % 9].lower()}",
        26,
        INK,
        bold=True,
        width=840,
    )
    canvas.text(340, TOP + 86, f"Bulletin {dice.between(12, 48)} / 2026, {view.script.site}", 13, FAINT)
    y = TOP + 124
    for place in range(4):
        if place == max(0, view.position):
            canvas.box(330, y - 6, 880, 98, (255, 247, 214), None, 4)
        start = dice.between(0, 2)
        y = (
            canvas.paragraph(340, y, " ".join(_PROSE[(start + n) % 4] for n in range(3)), 850, 15, INK, 24)
            + 22
        )
    canvas.box(340, y, 860, 34, PAPER, None, 0)
    for row in range(3):
        canvas.text(
            356, y + 9 + row * 32, ("Date", "1 October 2026", "15 January 2027")[row], 13, SOFT, bold=row == 0
        )
        canvas.text(
            620,
            y + 9 + row * 32,
            ("What changes", "Registration is required", "Labels in the local language")[row],
            13,
            INK,
        )
        canvas.rule(340, y + 34 + row * 32, 860)


_SECTIONS = (
    "Scope",
    "Definitions",
    "Registration",
    "Labels",
    "Fees",
    "Exemptions",
    "Dates",
    "Checks",
    "Annex",
)
_PROSE = (
    "Whoever brings these goods to the market for the first time must be entered in the register before the first delivery.",
    "The fee is charged per tonne and is due in the month after the report; small quantities remain free of it.",
    "Labels have to be readable without tools, stay on the product for its whole life and name the material.",
    "Stocks bought before the date named below may be sold for another six months.",
)


def article_focus(view: "View") -> tuple[int, int]:
    return 420 + max(0, view.position) * 130, TOP + 140 + max(0, view.position) * 94


# --- inbox ---
def inbox(canvas: Canvas, view: "View") -> None:
    accent = view.script.accent
    canvas.box(0, TOP, 210, 660, WHITE, LINE, 0)
    for place, word in enumerate(("Inbox", "Orders", "Complaints", "Invoices", "Other", "Drafts", "Archive")):
        if place == 0:
            canvas.box(12, TOP + 18, 186, 36, tint(accent, 0.13), None, 8)
        canvas.text(28, TOP + 28 + place * 42, word, 14, accent if place == 0 else SOFT, bold=place == 0)
        canvas.text_right(
            186,
            TOP + 28 + place * 42,
            str(mix(view.key + place) % 70 + 2 + (view.turn if place else 0)),
            13,
            FAINT,
        )
    for row in range(8):
        _mail(canvas, view, row)
    _reading(canvas, view)


def _mail(canvas: Canvas, view: "View", row: int) -> None:
    y, dice = TOP + row * 82, Dice(row_key(view, row), 6)
    chosen = row == chosen_row(view, 8)
    canvas.box(210, y, 400, 82, tint(view.script.accent, 0.08) if chosen else WHITE, LINE, 0)
    canvas.disc(242, y + 40, 17, tint(view.script.accent, 0.15 + 0.12 * dice.between(0, 4)))
    canvas.text(
        272,
        y + 14,
        dice.pick(("Ada Holm", "Ben Ortiz", "Chloe Marsh", "Dev Rao", "Eva Lind", "Finn Marlow")),
        14,
        INK,
        bold=row > view.turn % 8,
    )
    canvas.text_right(596, y + 14, f"{dice.between(6, 19):02d}:{dice.between(0, 59):02d}", 12, FAINT)
    canvas.text(
        272, y + 34, capital(view.item if chosen else dice.pick(view.script.items)), 14, INK, width=310
    )
    canvas.text(272, y + 54, "Hello, I ordered last week and would like to know", 13, FAINT, width=310)


def _reading(canvas: Canvas, view: "View") -> None:
    canvas.box(610, TOP, 670, 660, WHITE, LINE, 0)
    canvas.text(644, TOP + 26, capital(view.item), 22, INK, bold=True, width=460)
    labels = (("Order", GREEN), ("Complaint", RED), ("Invoice", AMBER), ("Other", SOFT))
    if view.position >= 1:
        canvas.pill(1150, TOP + 30, *labels[mix(view.key + view.turn) % 4])
    canvas.text(644, TOP + 60, "to support, this morning", 13, FAINT)
    canvas.paragraph(644, TOP + 100, f"Hello, I am writing about {view.item}. I ordered on the 3rd and paid at once, but since then "
                     "I have heard nothing. Could you please tell me what happens next and by when I can count on it? "
                     "My order number is in the subject. Thank you and kind regards.", 590, 15, INK, 25)  # fmt: skip
    if view.position >= 2:
        canvas.box(644, TOP + 316, 600, 230, WHITE, view.script.accent, 8)
        canvas.text(664, TOP + 332, "Draft answer", 13, view.script.accent, bold=True)
        canvas.paragraph(664, TOP + 360, f"Thank you for your message. I am sorry about {view.item}. We have looked at your order and "
                         "will come back to you today with a date.", 560, 15, INK, 25)  # fmt: skip
    canvas.button(644, TOP + 572, "Reply", view.script.accent, w=120)
    canvas.button(
        776, TOP + 572, "Label", SOFT, filled=False, w=100, pressed=view.summary.startswith("Labelling")
    )


def inbox_focus(view: "View") -> tuple[int, int]:
    if view.position == 1:
        return 826, TOP + 590
    return (780, TOP + 420) if view.position == 2 else (400, TOP + 40 + chosen_row(view, 8) * 82)
