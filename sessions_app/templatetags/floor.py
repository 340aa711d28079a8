"""What templates say money, time and states with.  One way for every page."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_app.rules.money import format_exact, format_short
from sessions_app.types import Status

register = template.Library()

UNKNOWN = "–"
STATUS_WORDS = {
    Status.CREATED: "Starting",
    Status.IDLE: "Idle",
    Status.RUNNING: "Running",
    Status.STOPPED: "Stopped",
    Status.TIMED_OUT: "Timed out",
    Status.ERROR: "Error",
}
STRATEGY_WORDS = {"task": "Stop task", "session": "End session"}
STOPPING_WORDS = {"task": "Stopping task…", "session": "Ending session…"}


# ---- money -----------------------------------------------------------------------------------------


@register.filter
def money(microusd: int | None) -> str:
    """Micro-dollars for dense places: `$1.23`, `$0.0042`; `–` when nobody knows."""
    return UNKNOWN if microusd is None else _dollars(format_short(microusd))


@register.filter
def money_exact(microusd: int | None) -> str:
    """Micro-dollars with every digit that is known: `$0.001234`."""
    return UNKNOWN if microusd is None else _dollars(format_exact(microusd))


def _dollars(text: str) -> str:
    return f"−${text[1:]}" if text.startswith("-") else f"${text}"


@register.filter
def count(number: int | None) -> str:
    """`12,345`; past a trillion `1.2e18`, so that a nonsense number stays one cell wide."""
    if number is None:
        return UNKNOWN
    return f"{number:,}" if abs(number) < 10**12 else f"{number:.1e}".replace("e+", "e")


# ---- time ------------------------------------------------------------------------------------------


@register.filter
def duration(span: timedelta | float | None) -> str:
    """A span (or seconds) as `12 s`, `3 m 12 s`, `1 h 04 m`, `3 d 4 h`."""
    if span is None:
        return UNKNOWN
    seconds = max(0, int(span.total_seconds() if isinstance(span, timedelta) else span))
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} m"
    return f"{minutes} m {seconds % 60:02d} s" if minutes else f"{seconds} s"


@register.simple_tag
def span(begin: datetime, end: datetime | None) -> str:
    """How long it took from `begin` to `end`; `–` when nobody knows."""
    return duration(None if end is None else end - begin)


@register.simple_tag
def moment(at: datetime | None, how: str = "relative") -> str:
    """A `<time>` with the absolute UTC text inside.  `how`, for static/js/time.js: relative ("3 min ago"),
    due ("in 3 min", and "now" once that is over), elapsed ("3 m 12 s", counting) or clock (the reader's own zone)."""
    if at is None:
        return UNKNOWN
    return format_html(_TIMES[how], iso(at), f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


_TIMES = {how: f'<time datetime="{{}}" data-{how}>{{}}</time>' for how in ("relative", "elapsed", "clock")}
_TIMES["due"] = '<time datetime="{}" data-relative="due">{}</time>'


@register.filter
def iso(at: datetime) -> str:
    """`2026-11-24T03:05:01.250Z`: milliseconds, in UTC, for scripts."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---- states and shapes -----------------------------------------------------------------------------


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of templates/_icons.html.  It says nothing by itself: a word stands beside it."""
    return format_html('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.filter
def status_word(status: str) -> str:
    """`Timed out` for `timed_out`; a status we don't know is shown as it came."""
    return STATUS_WORDS.get(status, status)  # type: ignore[call-overload]


@register.filter
def status_class(status: str) -> str:
    """CSS class of a status; unknown ones share `is-odd`."""
    return f"is-{status}" if status in STATUS_WORDS else "is-odd"


@register.filter
def status_icon(status: str) -> str:
    """Name of the symbol of a status; unknown ones share `odd`."""
    return status if status in STATUS_WORDS else "odd"


@register.filter
def strategy_word(strategy: str) -> str:
    """`Stop task` or `End session`."""
    return STRATEGY_WORDS.get(strategy, strategy)


@register.filter
def stopping_word(strategy: str) -> str:
    """What is under way, in words: `Stopping task…`."""
    return STOPPING_WORDS.get(strategy, "Stopping…")


@register.simple_tag(takes_context=True)
def with_query(context: dict, **changes: object) -> str:
    """`?…` of this address with some parameters changed (None or "" takes one away) and paging forgotten."""
    asked = context["request"].GET.lists()  # a copy of it would be a deep one, for each link of a page
    query = [(name, values) for name, values in asked if name != "after" and name not in changes]
    query += [(name, [str(value)]) for name, value in changes.items() if value not in (None, "")]
    return f"?{urlencode(query, doseq=True)}" if query else context["request"].path
