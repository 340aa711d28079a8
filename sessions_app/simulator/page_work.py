"""Pages to work in: a form, a dashboard. Each has a drawing and a place for the pointer."""

from typing import TYPE_CHECKING

from .canvas import FAINT, GREEN, INK, LINE, PAPER, RED, SOFT, WHITE, Canvas, tint
from .dice import Dice, mix
from .page_parts import TOP, capital, heading, row_key

if TYPE_CHECKING:
    from .pictures import View

# --- form ---
_CLAIM = (
    ("Store", "Leeds, Briggate 4"), ("Customer", "Ben Ortiz"), ("Serial number", "FW-88-204-1193"), ("Purchase date", "14 March 2026"),
    ("Fault code", "E-17 pump"), ("Contact person", "Ada Holm"), ("Street and number", "Mill Street 12"), ("Town", "Leeds"),
)  # fmt: skip
_SUPPLIER = (
    ("Company", ""), ("Tax number", "DE 811 204 552"), ("Bank", "Seaside Savings"), ("Account", "DE02 1203 0000 0000 2020 51"),
    ("Certificate", "ISO 9001, valid to 2028"), ("Contact person", "Ada Holm"), ("Street and number", "Mill Street 12"), ("Town", "Guelph"),
)  # fmt: skip


def form(canvas: Canvas, view: "View") -> None:
    accent, filled = view.script.accent, _filled(view)
    heading(canvas, view, capital(view.subject), f"Form {view.turn // 2 + 1}, step {view.turn % 3 + 1} of 3")
    for place, word in enumerate(("Details", "Evidence", "Review")):
        done = place <= view.turn % 3
        canvas.disc(860 + place * 132, TOP + 44, 13, accent if done else LINE)
        canvas.text(856 + place * 132, TOP + 37, str(place + 1), 13, WHITE if done else SOFT, bold=True)
        canvas.text(880 + place * 132, TOP + 37, word, 13, INK if done else FAINT)
    canvas.box(40, TOP + 96, 780, 560, WHITE, LINE, 10)
    for place, (label, value) in enumerate(_SUPPLIER if view.scene == "onboarding" else _CLAIM):
        x, y = 68 + place % 2 * 370, TOP + 118 + place // 2 * 82
        value = value or view.subject
        canvas.field(
            x,
            y,
            344,
            label,
            value if place < filled else value[:6] if place == filled else "",
            accent,
            active=place == filled,
        )
    canvas.box(68, TOP + 456, 714, 92, PAPER, (205, 211, 218), 8)
    uploaded = "Uploading" in view.summary
    canvas.text(
        300,
        TOP + 484,
        "proof-of-purchase.pdf, 214 KB" if uploaded else "Drop files here or choose them",
        14,
        INK if uploaded else FAINT,
    )
    if uploaded:
        canvas.box(300, TOP + 512, 240, 6, LINE, None, 3)
        canvas.box(300, TOP + 512, 170, 6, accent, None, 3)
    canvas.button(68, TOP + 576, "Submit", accent, w=160, pressed=view.summary.startswith("Submitting"))
    canvas.button(242, TOP + 576, "Save draft", SOFT, filled=False, w=130)
    _aside(canvas, view)


def _aside(canvas: Canvas, view: "View") -> None:
    canvas.box(848, TOP + 96, 392, 300, WHITE, LINE, 10)
    canvas.text(874, TOP + 116, "Already submitted", 16, INK, bold=True)
    for place in range(min(5, view.turn // 2 + 1)):
        number = mix(view.key) % 60_000 + 20_000 + view.turn // 2 - place
        canvas.text(874, TOP + 154 + place * 44, f"FW-{number}", 14, INK)
        canvas.pill(1110, TOP + 150 + place * 44, "Received", GREEN)
        canvas.rule(874, TOP + 182 + place * 44, 340)
    canvas.box(848, TOP + 416, 392, 240, tint(view.script.accent, 0.06), None, 10)
    canvas.text(874, TOP + 438, "Good to know", 16, INK, bold=True)
    canvas.paragraph(
        874, TOP + 470, "A number is given at once. Answers come within three working days by e-mail.", 340
    )


def _filled(view: "View") -> int:
    return min(8, (view.turn * 4 + max(0, view.position) * 2) % 10)


def form_focus(view: "View") -> tuple[int, int]:
    filled = _filled(view)
    if filled >= 8 or view.summary.startswith("Submitting"):
        return 130, TOP + 596
    return 180 + filled % 2 * 370, TOP + 158 + filled // 2 * 82


# --- dashboard ---
def dashboard(canvas: Canvas, view: "View") -> None:
    accent, dice = view.script.accent, Dice(view.key, 8)
    heading(canvas, view, "Spend by campaign", capital(view.subject))
    canvas.button(1080, TOP + 28, "Download", accent, w=160)
    for place, word in enumerate(("Spend", "Clicks", "Conversions", "Cost per conversion")):
        x = 40 + place * 304
        canvas.box(x, TOP + 96, 288, 96, WHITE, LINE, 10)
        canvas.text(x + 20, TOP + 112, word, 13, SOFT)
        number = dice.between(900, 48_000)
        canvas.text(
            x + 20,
            TOP + 136,
            f"${number / 1000:.2f}" if place == 3 else f"{'$' if place == 0 else ''}{number:,}",
            26,
            INK,
            bold=True,
        )
        canvas.pill(
            x + 204,
            TOP + 142,
            f"{'+' if place % 2 else '-'}{dice.between(1, 19)}%",
            GREEN if place % 2 else RED,
        )
    _chart(canvas, view)
    for row in range(5):
        _campaign(canvas, view, row)


def _chart(canvas: Canvas, view: "View") -> None:
    canvas.box(40, TOP + 210, 740, 446, WHITE, LINE, 10)
    canvas.text(64, TOP + 228, view.item if view.position >= 0 else "All campaigns", 16, INK, bold=True)
    base = TOP + 620
    for line in range(5):
        canvas.rule(64, base - line * 82, 690)
    dice = Dice(mix(view.key + view.turn), 9)
    for bar in range(14):
        height = dice.between(40, 320)
        chosen = bar == view.turn % 14
        canvas.box(
            72 + bar * 49,
            base - height,
            32,
            height,
            view.script.accent if chosen else tint(view.script.accent, 0.35),
            None,
            3,
        )
        canvas.text(78 + bar * 49, base + 8, str(bar + 1), 12, FAINT)


def _campaign(canvas: Canvas, view: "View", row: int) -> None:
    y, dice = TOP + 210 + row * 90, Dice(row_key(view, row), 9)
    chosen = row == _campaign_row(view)
    canvas.box(
        800,
        y,
        440,
        82,
        tint(view.script.accent, 0.07) if chosen else WHITE,
        view.script.accent if chosen else LINE,
        8,
    )
    canvas.text(820, y + 16, view.script.items[row], 15, INK, bold=True, width=240)
    canvas.text(820, y + 44, f"{dice.between(200, 9_000):,} clicks", 13, SOFT)
    canvas.text_right(1220, y + 16, f"${dice.between(300, 8_000):,}", 15, INK)
    canvas.text_right(1220, y + 44, f"${dice.between(400, 6_200) / 100:.2f} each", 13, SOFT)


def _campaign_row(view: "View") -> int:
    return view.script.items.index(view.item)


def dashboard_focus(view: "View") -> tuple[int, int]:
    if view.position == 2:
        return 88 + view.turn % 14 * 49, TOP + 560
    return 960, TOP + 250 + _campaign_row(view) * 90
