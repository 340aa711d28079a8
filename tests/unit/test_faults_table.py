"""docs/faults.md: every case is there, in order, and the test that proves it exists."""

import ast
import re

import pytest

from tests.support.environment import ROOT

ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| `([\w/]+\.py)::(\w+)` \|$", re.MULTILINE)
TABLE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = ROW.findall(TABLE)


def test_every_case_has_its_row():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 49))


@pytest.mark.parametrize(("path", "name"), [(path, name) for *_, path, name in ROWS])
def test_the_test_that_is_named_is_there(path, name):
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert found, f"tests/{path} has no {name}"
    assert any(isinstance(node, ast.Assert | ast.Raise | ast.Call) for node in ast.walk(found[0]))
