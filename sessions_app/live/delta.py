"""Of an element's newer HTML only the parts that differ: the browser replaces it part by part anyway (cells.js).

A part is an element with `data-cell`; each begins on a line of its own, and none stands in another.
"""

import re

_PARTS = re.compile(rb'\n(?=<[^>\n]*\bdata-cell=")')
_BASE = re.compile(rb'\bdata-version="(\d+)"')


def parts_that_differ(before: bytes, after: bytes) -> bytes:
    """The element's own tag, the parts of it that differ, and its end; b"" when only the whole will do.

    `data-base` says on which version it builds: a browser that has another one fetches the page.  What stands between
    a part's end and the next part comes along: tags without a part in them, which browsers read and nobody looks at.
    """
    old, new = _PARTS.split(before), _PARTS.split(after)
    if len(old) != len(new) or len(new) < 2:
        return b""
    tag_ends = after.find(b">") + 1
    tag_name = after[1:tag_ends].split(None, 1)[0]
    base = _BASE.search(before[: before.find(b">")])
    tag = after[:tag_ends] if base is None else after[: tag_ends - 1] + b' data-base="%s">' % base[1]
    changed = [part for was, part in zip(old[1:], new[1:], strict=True) if was != part]
    return b"\n".join((tag, *changed, b"</%s>" % tag_name))
