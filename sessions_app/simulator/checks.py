"""Validation in the shape of the vendor's errors: 422 with `{"detail": [{"loc", "msg", "type"}]}`."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from .countries import COUNTRIES
from .prices import ALSO_ACCEPTED, MODELS

_DECIMAL = re.compile(r"(?!^[-+.]*$)[+-]?0*\d*\.?\d*", re.ASCII)


class Refused(Exception):
    """An answer that is not 2xx: `detail` is a text or a list of validation errors."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail = status, detail


def invalid(loc: tuple[str, ...], msg: str, kind: str) -> Refused:
    return Refused(422, [{"loc": list(loc), "msg": msg, "type": kind}])


def whole(query: dict[str, str], name: str, default: int, low: int = 1, high: int | None = None) -> int:
    """An integer query parameter within its bounds."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 19):
        raise invalid(
            ("query", name),
            "Input should be a valid integer, unable to parse string as an integer",
            "int_parsing",
        )
    if int(text) < low:
        raise invalid(
            ("query", name), f"Input should be greater than or equal to {low}", "greater_than_equal"
        )
    if high is not None and int(text) > high:
        raise invalid(("query", name), f"Input should be less than or equal to {high}", "less_than_equal")
    return int(text)


def uuid(text: str, loc: tuple[str, ...]) -> str:
    """A UUID in its usual form, lower case."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise invalid(loc, "Input should be a valid UUID", "uuid_parsing") from None


def one_of(value: Any, allowed: tuple[str, ...], loc: tuple[str, ...]) -> str:
    if value not in allowed:
        words = " or ".join(f"'{word}'" for word in allowed)
        raise invalid(loc, f"Input should be {words}", "enum")
    return str(value)


def fields(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid(("body",), "Input should be a valid dictionary", "dict_type")
    return body


def typed(body: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A field of the body with its JSON type; null and absent give the default."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        word = {str: "string", bool: "boolean", dict: "dictionary", int: "integer"}[kind]
        raise invalid(("body", name), f"Input should be a valid {word}", f"{word}_type")
    return value


def model(body: dict[str, Any], default: str) -> str:
    value: str = typed(body, "model", str, default)
    if value not in MODELS and value not in ALSO_ACCEPTED:
        raise invalid(("body", "model"), "Input should be one of the known models", "enum")
    return value


def country(body: dict[str, Any], default: str | None) -> str | None:
    if "proxyCountryCode" not in body:
        return default
    value: str | None = typed(body, "proxyCountryCode", str)
    if value is not None and value not in COUNTRIES:
        raise invalid(("body", "proxyCountryCode"), "Input should be a known country code", "enum")
    return value


def micros(body: dict[str, Any], name: str) -> int | None:
    """Dollars as JSON number or decimal string → micro-dollars."""
    value = body.get(name)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or not _DECIMAL.fullmatch(_plain(value))
    ):
        raise invalid(("body", name), "Input should be a valid decimal", "decimal_parsing")
    return int(Decimal(_plain(value)) * 1_000_000)


def _plain(value: float | str) -> str:
    try:
        return value if isinstance(value, str) else f"{Decimal(repr(value)):f}"
    except InvalidOperation:
        return ""
