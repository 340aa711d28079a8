"""A stored reply, read when somebody looks: what the columns do not hold, and fields nobody knows yet."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from .schema_check import Check, check

SHOWN_CHARACTERS = 20_000
"""More than this of one value is not put into a page; the whole of it can be downloaded."""

KNOWN_FIELDS = frozenset((
    "id", "status", "model", "title", "output", "outputSchema", "stepCount", "lastStepSummary",
    "isTaskSuccessful", "liveUrl", "recordingUrls", "profileId", "workspaceId", "proxyCountryCode",
    "maxCostUsd", "totalInputTokens", "totalOutputTokens", "proxyUsedMb", "llmCostUsd", "proxyCostUsd",
    "browserCostUsd", "totalCostUsd", "screenshotUrl", "agentmailEmail", "integrationsUsed", "createdAt",
    "updatedAt", "thinkingLevel", "browserScreenWidth", "browserScreenHeight",
))  # fmt: skip
"""The vendor's SessionResponse, the newer replies' fields included."""

TASK_FIELDS = frozenset({"output", "outputSchema"})
"""The customer's own data.  A price in there is a result, not what the session costs."""

_MONEY = re.compile(r"cost|usd|price|credit|spend|spent|budget|billing|charge", re.IGNORECASE)


class Shown(NamedTuple):
    """A JSON value as people read it: text as it is, everything else pretty-printed."""

    text: str
    is_json: bool
    characters: int
    """Of the whole value; `text` holds at most SHOWN_CHARACTERS of them."""

    @property
    def is_cut(self) -> bool:
        return self.characters > len(self.text)


class Named(NamedTuple):
    """A field that has no place of its own on the page."""

    name: str
    value: Shown


class Reply(NamedTuple):
    """The parts of a reply that only the session's own page shows."""

    is_readable: bool
    output: Shown | None
    output_left_out: int | None
    """Bytes of an output that was too large to keep."""
    output_check: Check | None
    output_schema: Shown | None
    thinking_level: str
    screen: tuple[int, int] | None
    agentmail: str
    integrations: tuple[str, ...]
    unknown: tuple[Named, ...]
    raw: Shown


def read(raw: str, *, with_costs: bool) -> Reply:
    """The reply in `SessionDetail.raw`.  Unreadable JSON is shown as it is; nothing raises.

    Without `with_costs` every field that speaks of money is cut, at any depth, the task's own data excepted.
    """
    fields = _fields(raw)
    if fields is None:
        # Nothing can be cut out of what cannot be read, so it is only for those who may see costs.
        return _EMPTY._replace(raw=_shown_text(raw if with_costs else ""), is_readable=not raw)
    if not with_costs:
        fields = {name: value for name, value in _without_money(fields).items() if value is not _CUT}
    left_out = _left_out(fields.get("output"))
    return Reply(
        is_readable=True,
        output=shown(fields["output"]) if fields.get("output") is not None else None,
        output_left_out=left_out,
        output_check=check(fields.get("output"), fields.get("outputSchema")) if left_out is None else None,
        output_schema=shown(fields["outputSchema"]) if fields.get("outputSchema") is not None else None,
        thinking_level=_line(fields.get("thinkingLevel")),
        screen=_screen(fields.get("browserScreenWidth"), fields.get("browserScreenHeight")),
        agentmail=_line(fields.get("agentmailEmail")),
        integrations=_lines(fields.get("integrationsUsed")),
        unknown=tuple(
            Named(name, shown(value)) for name, value in fields.items() if name not in KNOWN_FIELDS
        ),
        raw=shown(fields),
    )


def output_file(raw: str | bytes) -> tuple[bytes, str] | None:
    """The output of a reply as a file, and its content type; None when there is none."""
    output = (_fields(raw) or {}).get("output")
    if output is None:
        return None
    if isinstance(output, str):
        return output.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    return msgspec.json.format(msgspec.json.encode(output), indent=2), "application/json"


def is_left_out(raw: str) -> bool:
    """Whether the output was too large to keep, so that the vendor must be asked for it."""
    return _left_out((_fields(raw) or {}).get("output")) is not None


def speaks_of_money(field: str) -> bool:
    """Whether a field of the vendor's, by its name, says what something costs."""
    return _MONEY.search(field) is not None


def shown(value: Any) -> Shown:
    """Any JSON value as text."""
    if isinstance(value, str):
        return _shown_text(value)
    pretty = msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8", "replace")
    return Shown(pretty[:SHOWN_CHARACTERS], True, len(pretty))


def _shown_text(text: str) -> Shown:
    return Shown(text[:SHOWN_CHARACTERS], False, len(text))


_EMPTY = Reply(True, None, None, None, None, "", None, "", (), (), Shown("", False, 0))
_CUT = object()


def _left_out(output: Any) -> int | None:
    """`upstream.kept` leaves a note where something was too large: how large it was."""
    noted = isinstance(output, dict) and output.get("(not kept)") == "too large"
    return output["bytes"] if noted and isinstance(output.get("bytes"), int) else None


def _fields(raw: str | bytes) -> dict[str, Any] | None:
    try:
        fields = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    return fields if isinstance(fields, dict) else None


def _without_money(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if name in TASK_FIELDS else _CUT if speaks_of_money(name) else _cut_inside(value)
        for name, value in fields.items()
    }


def _cut_inside(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut_inside(inner) for name, inner in value.items() if not speaks_of_money(name)}
    if isinstance(value, list):
        return [_cut_inside(inner) for inner in value]
    return value


def _line(value: Any) -> str:
    return "" if value is None else shown(value).text


def _lines(value: Any) -> tuple[str, ...]:
    values: Iterable[Any] = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(_line(each) for each in values)


def _screen(width: Any, height: Any) -> tuple[int, int] | None:
    """Width and height in pixels, when both are believable."""
    return (width, height) if _is_size(width) and _is_size(height) else None


def _is_size(value: Any) -> bool:
    return type(value) is int and 100 <= value <= 10_000
