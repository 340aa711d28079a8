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
    assert name.startswith("test_"), "or nobody runs it"
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert _asserts(found[0], functions), f"{name} proves nothing"
    marks = [ast.unparse(one) for one in found[0].decorator_list]
    assert not any("skip" in mark or "xfail" in mark for mark in marks)


def _asserts(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> bool:
    """Whether it, or a function of the same file that it calls, asserts, or expects to be refused."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Attribute) and node.attr == "raises"):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "fails":  # tests.support.failing: expects a certain error
                return True
            called = functions.get(node.func.id)
            if called and called is not function and _asserts(called, functions):
                return True
    return False
