"""What several kinds of page share."""

from typing import TYPE_CHECKING

from .canvas import INK, SOFT, Canvas
from .dice import mix

if TYPE_CHECKING:
    from .pictures import View

PAGE_TOP = 84
TOP = PAGE_TOP + 58  # below the site's own header


def row_key(view: "View", row: int) -> int:
    """Rows belong to the task, not to the step; each screenful of rounds shows others."""
    return mix(view.key + row + view.turn // 6 * 1000)


def chosen_row(view: "View", count: int) -> int:
    """Which of the rows is being looked at: down the list, round by round."""
    return view.turn % count


def section(view: "View") -> str:
    """`/payables/invoices`, March → Invoices: March."""
    return f"{view.script.path.split('/')[-1].capitalize()}: {view.subject}"


def heading(canvas: Canvas, view: "View", words: str, note: str) -> None:
    canvas.text(40, TOP + 26, words, 26, INK, bold=True, width=760)
    canvas.text(40, TOP + 62, note, 14, SOFT, width=760)


def name(view: "View", row: int) -> str:
    return (
        view.item
        if row == chosen_row(view, 9) and view.position >= 0
        else view.script.items[(mix(view.key) + row + view.turn // 6) % len(view.script.items)]
    )


def capital(words: str) -> str:
    return words.removeprefix("the ").removeprefix("a ").capitalize() if words[:1].islower() else words
