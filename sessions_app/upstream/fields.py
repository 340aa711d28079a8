"""Reading one field at a time, tolerantly: what is off the contract is noted, and never raises."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from sessions_app.types import Oddity

from .decimals import micro_of_number, parse_micro

SMALLEST, LARGEST = -(2**63), 2**63 - 1
SHOWN_OF_ODDITY = 200
_MISSING = object()


def clean(text: str) -> str:
    """Without what databases refuse: NUL, and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class Fields:
    """A reply's object.  Each method reads one field by the vendor's name; absent and null give the default."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.oddities: list[Oddity] = []

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def odd(self, name: str, value: Any = _MISSING) -> None:
        """Note that a field is off the contract, with what stood there, shortened."""
        self.oddities.append(Oddity(name, "missing" if value is _MISSING else shown(value)))

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return None if value is None else clean(value)
        self.odd(name, value)
        return shown(value)

    def whole_text(self, name: str, longest: int) -> str:
        """Text as it is, anything else as JSON; shortened to `longest` characters."""
        value = self._values.get(name)
        return "" if value is None else shown(value, longest)

    def secret(self, name: str) -> str | None:
        """A text that is a credential: what stands there instead is never repeated."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return None if value is None else clean(value)
        self.oddities.append(Oddity(name, f"not a text but {_kind(value)}"))
        return None

    def secrets(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        texts = tuple(clean(each) for each in listed if isinstance(each, str))
        if len(texts) != len(listed) or not isinstance(value, list | None):
            self.oddities.append(Oddity(name, "not a list of texts"))
        return texts

    def count(self, name: str) -> int:
        """A whole number, held to 64 bits; 0 when it is absent or not a number."""
        value = self._values.get(name)
        if type(value) is int and 0 <= value <= LARGEST:
            return value
        if value is None:
            return 0
        self.odd(name, value)
        if type(value) is int or (isinstance(value, Decimal) and _is_whole(value)):
            return min(max(int(value), SMALLEST), LARGEST)
        return _long_count(value)

    def flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is None or value is True or value is False:
            return value
        self.odd(name, value)
        return None

    def micro(self, name: str) -> int | None:
        """A decimal in millionths: micro-dollars, or bytes of megabytes."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            micro = parse_micro(value)
            if micro is None:
                self.odd(name, value)
            return micro
        self.odd(name, value)  # a number is off the contract, but no less exact for it
        return self.micro_number(name)

    def micro_number(self, name: str) -> int | None:
        """The same of a field that the contract gives as a JSON number."""
        value = self._values.get(name)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return micro_of_number(value)
        return parse_micro(value) if isinstance(value, str) else None

    def uuid(self, name: str) -> UUID | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        found = uuid_of(value)
        if found is None:
            self.odd(name, value)
        return found

    def moment(self, name: str) -> datetime | None:
        """An aware datetime in UTC; a time without a zone is taken as UTC."""
        value = self._values.get(name)
        found = moment_of(value)
        if found is None:
            self.odd(name, _MISSING if value is None else value)
        return found


def uuid_of(value: Any) -> UUID | None:
    try:
        return msgspec.convert(value, UUID) if isinstance(value, str) else None
    except msgspec.ValidationError:
        return None


def moment_of(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = msgspec.convert(value, datetime)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError, ValueError):
        return None


def shown(value: Any, longest: int = SHOWN_OF_ODDITY) -> str:
    """A value as people may see it: text as it is, all else as JSON; shortened."""
    if isinstance(value, str):
        text = value[: longest + 1]
    elif isinstance(value, int) and abs(value) > 2**64:
        text = "a number too large"
    elif isinstance(value, Decimal):
        text = str(value)
    else:
        text = msgspec.json.encode(value).decode("utf-8", "replace")
    text = clean(text[: longest + 1])
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _is_whole(number: Decimal) -> bool:
    return number.is_finite() and abs(number) < Decimal(10) ** 30 and number == number.to_integral_value()


def _long_count(value: Any) -> int:
    """Digits that `mend` had to turn into text, and texts of digits from a careless server."""
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    if not (digits.isascii() and digits.isdigit()):
        return 0
    if len(digits) > 19:
        return SMALLEST if value[0] == "-" else LARGEST
    return min(max(int(value), SMALLEST), LARGEST)


def _kind(value: Any) -> str:
    return {bool: "true or false", list: "a list", dict: "an object"}.get(type(value), "a number")
