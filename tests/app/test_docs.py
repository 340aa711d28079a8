"""The documentation tells the truth: every variable, command, page, picture and link in it exists, and none is missing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, get_resolver

from sessions_app.access.roles import ROLES
from sessions_app.rules.stopping import State
from tests.support.environment import PRODUCT_VARIABLES, ROOT

DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAME = re.compile(r"[A-Z][A-Z0-9_]+")
MADE_BY_UP = {"WATCHFLOOR_SIMULATOR", "DJANGO_SETTINGS_MODULE"}
"""`manage.py up` sets these for its children; nobody else needs to."""
IN_DATA_DIR = {"var/", "keys/", "pictures/", "valkey/", "run/"}
OF_THE_SHELL = {"PYTHON"}
"""Read by bin/find-python, before there is a Python that could be asked."""


# ---- the table of variables ------------------------------------------------------------------------


def documented() -> set[str]:
    """The first column of the README's table."""
    table = README.split("## Environment")[1].split("\n## ")[0]
    return set(NAME.findall("".join(line.split("|")[1] for line in table.splitlines() if line[:2] == "| ")))


def read_by_the_code() -> set[str]:
    """Every name that the product looks up in its environment, found in the syntax tree."""
    found = set()
    for folder in ("dashboard", "sessions_app"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(_lookups(ast.parse(path.read_text(encoding="utf-8"))))
    return {name for name in found if NAME.fullmatch(name)} - MADE_BY_UP


def _lookups(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="variable"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Call(
                func=ast.Attribute(attr="get", value=where), args=[ast.Constant(value=str(name)), *_]
            ) if _is_environment(where):
                yield name
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[where]) if _is_environment(
                where
            ):
                yield name
            case ast.Assign(targets=[ast.Name(id="SIMULATOR_FLAGS")], value=ast.Dict(keys=keys)):
                yield from (key.value for key in keys if isinstance(key, ast.Constant))


def _is_environment(node: ast.expr) -> bool:
    return ast.unparse(node) in {"os.environ", "environ", "given"}


def passed_on_by_make() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(NAME.findall(makefile.split("VARIABLES :=")[1].split("\n\n")[0]))


def test_the_search_finds_what_is_known_to_be_there():
    """Else the next tests would pass for nothing."""
    assert {
        "PORT",
        "DATABASE_URL",
        "DJANGO_SUPERUSER_EMAIL",
        "WATCHFLOOR_SIMULATOR_SEED",
    } <= read_by_the_code()


def test_every_variable_is_in_the_readme():
    assert (read_by_the_code() | passed_on_by_make()) - documented() == set()


def test_every_variable_in_the_readme_is_read():
    assert documented() <= read_by_the_code() | OF_THE_SHELL


def test_make_passes_every_variable_on():
    """A `$` in a secret survives `make run` only of those."""
    assert documented() - passed_on_by_make() - OF_THE_SHELL == {"NO_COLOR"}


def test_tests_run_without_any_of_them():
    assert documented() - OF_THE_SHELL - {"NO_COLOR"} <= set(PRODUCT_VARIABLES)


# ---- what is named exists --------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(document: Path):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document: Path):
    text = document.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in re.findall(r"manage\.py ([a-z_]+)", text):
        assert command in get_commands(), command
    for target in re.findall(r"\bmake ([a-z0-9]+)(?=`|\s{2,}#|\n)", text):
        assert f"\n{target}:" in makefile, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_rooms_exist(document: Path):
    """`polling/sweep.py` and the like, from the root, from the app or from the Django project."""
    text = document.read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z_]+/[\w/.*-]*)`", text):
        if name in IN_DATA_DIR:
            continue
        homes = [ROOT, ROOT / "sessions_app", ROOT / "dashboard"]
        assert any(list(home.glob(name.rstrip("/"))) for home in homes), name


def test_pages_in_the_readme_exist():
    known = {
        str(pattern.pattern) for pattern in get_resolver().url_patterns[0].url_patterns if _is_page(pattern)
    }
    table = README.split("## What is on the floor")[1].split("**Two stops.**")[0]
    for path in re.findall(r"`/([a-z/]*)`", table):
        assert path in known, path


def _is_page(pattern: object) -> bool:
    return isinstance(pattern, URLPattern)


def test_the_readmes_roles_are_the_codes():
    table = README.split("| role |")[1].split("\n\n")[0]
    columns = ("watch_live", "take_control", "stop_task", "end_session", "acknowledge", "see_costs", "manage")
    told = {}
    for line in table.splitlines()[2:]:
        name, _, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        told[name] = {column for column, cell in zip(columns, cells, strict=True) if cell == "yes"}
    assert told == {role: set(codenames) for role, codenames in ROLES.items()}


def test_every_state_of_a_stop_is_explained():
    told = (ROOT / "docs" / "stops.md").read_text(encoding="utf-8")
    for state in State:
        assert f"`{state}`" in told, state


def test_every_room_is_on_the_map():
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for folder in (ROOT / "sessions_app").iterdir():
        if (folder / "__init__.py").exists() and folder.name != "migrations":
            assert f"{folder.name}/" in told, folder.name
