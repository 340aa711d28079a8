"""The session page's panels: each is rendered by the page, alone, and with whatever else has changed.

A panel carries a tag of its own content.  An open page sends the tags that it has and gets only the panels whose
content is another one: nothing is swapped under the pointer that would look the same afterwards.
"""

from collections.abc import Collection

import xxhash
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_app.queries.session import SessionPage

PANELS = (
    "head", "now", "actions", "picture", "film", "task", "curve", "stops", "output", "messages", "facts", "timeline",
    "raw",
)  # fmt: skip
PINNED = "*"
"""The tag of a panel that shows something chosen (an older page): it is left alone."""


def panel(name: str, page: SessionPage, *, swapped_by_id: bool = False, pinned: bool = False) -> SafeString:
    """templates/session/_<name>.html in its wrapper.  `swapped_by_id`: for an answer with several of them."""
    inner = render_to_string(f"session/_{name}.html", {"page": page, "s": page.session, "sight": page.sight})
    tag = PINNED if pinned else xxhash.xxh3_64_hexdigest(inner.encode())
    return format_html(
        '<section id="panel-{name}" class="panel panel-{name}" data-panel="{name}"{swap}>'
        '<input type="hidden" name="seen" value="{name}:{tag}">{inner}</section>',
        name=name,
        tag=tag,
        swap=SafeString(' hx-swap-oob="true"' if swapped_by_id else ""),
        inner=inner,
    )


def panels(page: SessionPage, pinned: Collection[str] = ()) -> dict[str, SafeString]:
    return {name: panel(name, page, pinned=name in pinned) for name in PANELS}


def changed_panels(page: SessionPage, seen: Collection[str]) -> str:
    """Those whose `name:tag` is not among `seen`, one after another."""
    tags = dict(entry.partition(":")[::2] for entry in seen)
    rendered = {
        name: panel(name, page, swapped_by_id=True) for name in PANELS if tags.get(name) not in (None, PINNED)
    }
    return "".join(html for name, html in rendered.items() if f'value="{name}:{tags[name]}"' not in html)
