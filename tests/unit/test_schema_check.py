"""Whether an output keeps to its schema: what is checked is checked right, and the rest is named."""

import pytest

from sessions_app.queries.schema_check import check

ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "price": {"type": "number"}},
}
SCHEMA = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/Item"}}},
    "$defs": {"Item": ITEM},
}


@pytest.mark.parametrize(
    ("output", "schema"),
    [
        ({"items": [{"name": "a", "price": 1.5}]}, SCHEMA),
        ('{"items": [{"name": "a"}]}', SCHEMA),
        (3.0, {"type": "integer"}),
        ("x", {"type": ["string", "null"]}),
        ({"a": None}, {"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}),
        ("b", {"type": "string", "enum": ["a", "b"], "maxLength": 1}),
    ],
)
def test_what_fits(output, schema):
    found = check(output, schema)
    assert found and found.words == "Fits its schema" and not found.problems


@pytest.mark.parametrize(
    ("output", "schema", "where"),
    [
        ({"items": [{"name": "a"}, {"name": 7}]}, SCHEMA, "$.items[1].name"),
        ({"items": [{}]}, SCHEMA, "$.items[0].name"),
        ("plain words", SCHEMA, "$"),
        (True, {"type": "integer"}, "$"),
        (1.5, {"type": "integer"}, "$"),
        (1, {"const": True}, "$"),
        ({"b": 1}, {"properties": {"a": {}}, "additionalProperties": False}, "$.b"),
        ({"a": 5}, {"properties": {"a": {"exclusiveMaximum": 5}}}, "$.a"),
        ([1], {"minItems": 2}, "$"),
        ("x", {"type": "string", "anyOf": [{"minLength": 2}, {"enum": ["y"]}]}, "$"),
    ],
)
def test_what_does_not_says_where(output, schema, where):
    found = check(output, schema)
    assert found and found.words == "Does not fit its schema"
    assert found.problems[0].where == where


def test_what_is_not_checked_is_named():
    found = check("x", {"type": "string", "pattern": "(a+)+$"})
    assert found and found.words == "Fits its schema; not checked: pattern"


def test_neither_a_circle_nor_a_crowd_holds_up_the_page():
    circle = {"$ref": "#"}
    crowd = {"type": "array", "items": {"type": "integer"}}
    for output, schema in (({}, circle), ([1] * 50_000, crowd)):
        found = check(output, schema)
        assert found and found.words == "Too large to check against its schema"
    assert len(check(["x"] * 500, crowd).problems) == 20


@pytest.mark.parametrize("schema", [None, True, [], "x", 7])
def test_without_a_schema_there_is_nothing_to_say(schema):
    assert check({"a": 1}, schema) is None


@pytest.mark.parametrize(
    "schema", [{"type": 7}, {"required": "x"}, {"properties": []}, {"$ref": 5}, {"enum": 1}, {"minimum": "x"}]
)
def test_a_broken_schema_breaks_nothing(schema):
    assert check({"a": 1}, schema) is not None
