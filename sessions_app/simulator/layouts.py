"""Seven kinds of page: how to draw each, and where the agent's pointer is on it. Both follow from the view alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from . import page_lists, page_text, page_work
from .canvas import Canvas

if TYPE_CHECKING:
    from .pictures import View


class Layout(NamedTuple):
    draw: Callable[[Canvas, "View"], None]
    focus: Callable[["View"], tuple[int, int]]


LAYOUTS = {
    "table": Layout(page_lists.table, page_lists.table_focus),
    "cards": Layout(page_lists.cards, page_lists.cards_focus),
    "results": Layout(page_text.results, page_text.results_focus),
    "article": Layout(page_text.article, page_text.article_focus),
    "form": Layout(page_work.form, page_work.form_focus),
    "inbox": Layout(page_text.inbox, page_text.inbox_focus),
    "dashboard": Layout(page_work.dashboard, page_work.dashboard_focus),
}
