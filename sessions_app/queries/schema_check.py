"""Does an output keep to the schema that was asked for?  The common part of JSON Schema, and honest about the rest.

`pattern` is left out on purpose: somebody else's regular expression can run for hours.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

MOST_PROBLEMS = 20
MOST_VALUES = 20_000
DEEPEST = 60

_SAYS_NOTHING = frozenset((
    "$schema", "$id", "$defs", "$comment", "definitions", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly", "format", "discriminator", "nullable",
))  # fmt: skip
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int, float), "number": (int, float),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


class Problem(NamedTuple):
    """Where the output differs, as `$.items[3].price`, and how."""

    where: str
    words: str


class Check(NamedTuple):
    """`look` and `icon` are the pill's; `problems` is empty when it fits."""

    look: str
    icon: str
    words: str
    problems: tuple[Problem, ...] = ()


class _TooMuch(Exception):
    """More values, or deeper ones, than we walk through for a page."""


def check(output: Any, schema: Any) -> Check | None:
    """None when there is nothing to compare.  A text that holds JSON counts as that JSON."""
    if output is None or not isinstance(schema, dict):
        return None
    if isinstance(output, str) and schema.get("type") != "string":
        output = _inside(output)
    walk = _Walk(schema)
    try:
        problems = [
            problem for problem, _ in zip(walk.of(output, schema, "$", 0), range(MOST_PROBLEMS), strict=False)
        ]
    except _TooMuch:
        return Check("is-odd", "odd", "Too large to check against its schema")
    if problems:
        return Check("is-failed", "failed", "Does not fit its schema", tuple(problems))
    if walk.skipped:
        names = ", ".join(sorted(walk.skipped)[:4])
        return Check("is-succeeded", "succeeded", f"Fits its schema; not checked: {names[:80]}")
    return Check("is-succeeded", "succeeded", "Fits its schema")


def _inside(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return text


class _Walk:
    """One comparison: the root for `$ref`, what was not checked, and how much was walked through."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root, self._left = root, MOST_VALUES
        self.skipped: set[str] = set()

    def of(self, value: Any, schema: Any, where: str, depth: int) -> Iterator[Problem]:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise _TooMuch
        if isinstance(schema, bool):
            if not schema:
                yield Problem(where, "should not be there")
        elif isinstance(schema, dict):
            for keyword, rule in schema.items():
                yield from self._keyword(keyword, rule, value, schema, where, depth)

    def _keyword(
        self, keyword: str, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
    ) -> Iterator[Problem]:
        checker = _CHECKERS.get(keyword)
        if checker is not None:
            yield from checker(self, rule, value, schema, where, depth)
        elif keyword not in _SAYS_NOTHING:
            self.skipped.add(str(keyword))

    def fits(self, value: Any, schema: Any, depth: int) -> bool:
        return next(self.of(value, schema, "", depth), None) is None

    def resolve(self, name: str) -> Any:
        """`#/$defs/Offer` and the like; anything farther away is not followed."""
        found: Any = self._root
        for part in name.removeprefix("#").strip("/").split("/") if name != "#" else []:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found if name.startswith("#") else None


def _type(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    names = [rule] if isinstance(rule, str) else rule if isinstance(rule, list) else []
    if schema.get("nullable") is True:
        names = [*names, "null"]
    if names and not any(_is(value, name) for name in names):
        yield Problem(where, f"is {_name_of(value)}, should be {' or '.join(map(str, names))}")


def _is(value: Any, name: Any) -> bool:
    kinds = _TYPES.get(name) if isinstance(name, str) else None
    if kinds is None or (isinstance(value, bool) and name != "boolean"):
        return kinds is None
    return isinstance(value, kinds) and (
        name != "integer" or not isinstance(value, float) or value.is_integer()
    )


def _name_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next(
        (name for name, kinds in _TYPES.items() if isinstance(value, kinds) and name != "integer"), "odd"
    )


def _required(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    if isinstance(value, dict) and isinstance(rule, list):
        yield from (Problem(f"{where}.{name}", "is missing") for name in rule if name not in value)


def _properties(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    if isinstance(value, dict) and isinstance(rule, dict):
        for name, inner in rule.items():
            if name in value:
                yield from walk.of(value[name], inner, f"{where}.{name}", depth + 1)


def _additional(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    known = schema.get("properties")
    if isinstance(value, dict) and "patternProperties" not in schema:
        for name in value.keys() - (known.keys() if isinstance(known, dict) else set()):
            yield from walk.of(value[name], rule, f"{where}.{name}", depth + 1)


def _items(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk.of(each, rule, f"{where}[{index}]", depth + 1)


def _enum(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    if isinstance(rule, list) and not any(_same(value, each) for each in rule):
        yield Problem(where, "is none of the values allowed")


def _const(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    if not _same(value, rule):
        yield Problem(where, "is not the value required")


def _same(one: Any, other: Any) -> bool:
    """JSON's equality: `true` is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _ref(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    target = walk.resolve(rule) if isinstance(rule, str) else None
    if target is None:
        walk.skipped.add("$ref")
    else:
        yield from walk.of(value, target, where, depth + 1)


def _all_of(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    for inner in rule if isinstance(rule, list) else []:
        yield from walk.of(value, inner, where, depth + 1)


def _any_of(
    walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
) -> Iterator[Problem]:
    if isinstance(rule, list) and not any(walk.fits(value, inner, depth + 1) for inner in rule):
        yield Problem(where, "fits none of the alternatives")


def _bound(words: str, kind: type | tuple[type, ...], breaks: Any) -> Any:
    """A checker of one limit: `breaks(value, limit)` says whether it is passed."""

    def checker(
        walk: _Walk, rule: Any, value: Any, schema: dict[str, Any], where: str, depth: int
    ) -> Iterator[Problem]:
        comparable = isinstance(value, kind) and not isinstance(value, bool)
        if comparable and isinstance(rule, int | float) and breaks(value, rule):
            yield Problem(where, f"{words} {rule}")

    return checker


_NUMBER = (int, float)
_CHECKERS: Mapping[str, Any] = {
    "type": _type, "required": _required, "properties": _properties, "additionalProperties": _additional,
    "items": _items, "enum": _enum, "const": _const, "$ref": _ref, "allOf": _all_of, "anyOf": _any_of,
    "minimum": _bound("is below", _NUMBER, lambda value, limit: value < limit),
    "maximum": _bound("is above", _NUMBER, lambda value, limit: value > limit),
    "exclusiveMinimum": _bound("is not above", _NUMBER, lambda value, limit: value <= limit),
    "exclusiveMaximum": _bound("is not below", _NUMBER, lambda value, limit: value >= limit),
    "minLength": _bound("is shorter than", str, lambda value, limit: len(value) < limit),
    "maxLength": _bound("is longer than", str, lambda value, limit: len(value) > limit),
    "minItems": _bound("has fewer entries than", list, lambda value, limit: len(value) < limit),
    "maxItems": _bound("has more entries than", list, lambda value, limit: len(value) > limit),
}  # fmt: skip
