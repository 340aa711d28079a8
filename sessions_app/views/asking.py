"""What the address of a session's page asks for.  Whatever makes no sense asks for nothing."""

from collections.abc import Mapping

from sessions_app.queries.film import Spot
from sessions_app.queries.messages import Sought, place
from sessions_app.queries.session import Asked

MOST_CHARACTERS = 200


def asked_by(query: Mapping[str, str]) -> Asked:
    """`before`: older events; `messages`, `from`, `find`, `only=errors`: messages; `first`, `at`, `step`: the film."""
    return Asked(_number(query.get("before", "")), _messages(query), _film(query))


def _messages(query: Mapping[str, str]) -> Sought:
    return Sought(
        before=place(query.get("messages", "")),
        since=place(query.get("from", "")),
        words=" ".join(query.get("find", "")[:MOST_CHARACTERS].replace("\0", " ").split()),
        only_errors=query.get("only", "") == "errors",
    )


def _film(query: Mapping[str, str]) -> Spot | None:
    spot = Spot(*(_number(query.get(name, "")) for name in ("first", "at", "step")))
    return spot if any(part is not None for part in spot) else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
