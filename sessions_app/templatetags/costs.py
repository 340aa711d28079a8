"""What the costs page draws and links with."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sessions_app.rules.money import KIND_WORDS, format_exact
from sessions_app.templatetags.floor import money_exact, with_query

register = template.Library()

FIRST_ASCENDING = {"title"}
"""Sorts that people want from A to Z; the others with the most first."""


@register.filter
def share(part: int, whole: int) -> str:
    """`12 %` of the whole; `<1 %` for what is there but rounds to nothing, and nothing when there is no whole."""
    if whole <= 0:
        return ""
    percent = round(part * 100 / whole)
    return "<1 %" if part > 0 and percent == 0 else f"{percent} %"


@register.filter
def change(now: int, before: int) -> str:
    """`+12 %` or `−8 %` against before; `new` when there was nothing, `3.4×` when it is more than twice as much."""
    if before <= 0:
        return "new" if now > 0 else "–"
    if now >= 2 * before:
        return f"{now / before:,.1f}×"
    percent = round((now - before) * 100 / before)
    return f"+{percent} %" if percent > 0 else f"−{-percent} %" if percent < 0 else "the same"


@register.filter
def digits(microusd: int) -> SafeString:
    """All six digits, so that columns align: cents as people read them, the four beyond them smaller."""
    cents, beyond = divmod(abs(microusd), 10_000)
    return format_html(
        '<span class="digits"><b>{}${}.{}</b><small>{}</small></span>',
        "−" if microusd < 0 else "",
        f"{cents // 100:,}",
        f"{cents % 100:02d}",
        f"{beyond:04d}",
    )


@register.filter
def bar(microusd: int, largest: int) -> SafeString:
    """A line as long as its share of the largest; the figure beside it says the same."""
    length = min(max(microusd, 0) / largest, 1) * 100 if largest > 0 else 0
    return format_html(
        '<svg class="line" width="100%" height="4" aria-hidden="true"><rect width="{}%" height="4" rx="2"/></svg>',
        f"{length:.2f}",
    )


@register.filter
def told(drawn: Any) -> str:
    """What a `Bar` of the chart says when one points at it: its sum, and a line for each part."""
    parts = [f"\n{KIND_WORDS[one.name]} {money_exact(one.microusd)}" for one in drawn.parts]
    return f"{drawn.words}: {money_exact(drawn.spend.total)}{''.join(parts)}"


@register.filter
def stacked(drawn: Any) -> SafeString:
    """The parts of a `Bar` of the chart.  They are hundreds, and a template takes longer for each."""
    return format_html_join(
        "",
        '<rect class="part-{}" x="{}%" width="{}%" y="{}%" height="{}%"/>',
        ((one.name, drawn.x, drawn.width, one.y, one.height) for one in drawn.parts),
    )


@register.filter
def dollars(microusd: int) -> str:
    """A round sum in few characters: `$0.05`, `$20`."""
    return f"${format_exact(microusd).removesuffix('.00')}"


@register.filter
def between(step: Any) -> str:
    """Which sums a `Step` of the spread takes in."""
    if step.least is None:
        return f"less than {dollars(step.below)}"
    if step.below is None:
        return f"{dollars(step.least)} or more"
    return f"{dollars(step.least)} to {dollars(step.below)}"


@register.filter
def part_word(name: str) -> str:
    """How people call a part of the cost."""
    return KIND_WORDS[name]


@register.filter
def part(spend: Any, name: str) -> int:
    """One part of a `Spend`, by its name."""
    return getattr(spend, name)


@register.simple_tag(takes_context=True)
def narrowed(context: dict, facet: str, value: str) -> str:
    """This page, for one value of a facet only; with an empty value, for all of them again."""
    return with_query(context, page="", **_filter(facet, value))


@register.simple_tag(takes_context=True)
def narrowed_by_both(context: dict, sides: tuple[str, str], row: Any, column: Any) -> str:
    """This page for what one cell of a pivot shows; empty where a side is "all others", which no filter says."""
    if not (row.value and column.value):
        return ""
    return with_query(context, page="", **_filter(sides[0], row.value), **_filter(sides[1], column.value))


def _filter(side: str, value: str) -> dict[str, str]:
    """A day is no filter but a stretch."""
    return {"range": "", "from": value, "to": value} if side == "day" else {side: value}


@register.simple_tag(takes_context=True)
def sortable(context: dict, asked: Any, name: str, words: str) -> SafeString:
    """A column's head that sorts by it, and the other way round when it does already."""
    here = asked.sort == name
    descending = not asked.descending if here else name not in FIRST_ASCENDING
    address = with_query(context, sort=name, dir="desc" if descending else "asc", page="")
    return format_html(
        '<th scope="col" class="{}" aria-sort="{}"><a href="{}#sessions">{}{}</a></th>',
        "" if name in {"title", "created"} else "num",
        ("descending" if asked.descending else "ascending") if here else "none",
        address,
        words,
        format_html('<span aria-hidden="true">{}</span>', "↓" if asked.descending else "↑") if here else "",
    )
