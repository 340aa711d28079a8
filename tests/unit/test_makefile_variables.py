"""`make`'s variables reach the program as they were written, from the environment and from the command line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Our Makefile above a bin/install and an interpreter that only tell what they were given."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name, script in {"bin/install": "true", ".venv/bin/python": 'echo "ran $*"; env'}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return tmp_path


def make(project: Path, *arguments: str, **environ: str) -> list[str]:
    clean = {"PATH": os.environ["PATH"], **environ}
    done = subprocess.run(
        ["make", *arguments], cwd=project, env=clean, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_run_starts_up(project):
    assert "ran manage.py up" in make(project, "run")


def test_variables_come_from_the_command_line(project):
    assert "PORT=9000" in make(project, "run", "PORT=9000")


def test_variables_come_from_the_environment(project):
    assert "DATA_DIR=/srv/floor" in make(project, "run", DATA_DIR="/srv/floor")


@pytest.mark.parametrize("secret", ["a$b", "x$(PORT)y", "with space", "a,b)c(", "100%#;'\""])
def test_a_secret_from_the_environment_is_passed_as_it_is(project, secret):
    assert f"SECRET_KEY={secret}" in make(project, "run", SECRET_KEY=secret)


def test_empty_counts_as_not_set(project):
    lines = make(project, "run", "PORT=", BROWSER_USE_API_KEY="", REDIS_URL="  ")
    assert not [line for line in lines if line.startswith(("PORT=", "BROWSER_USE_API_KEY=", "REDIS_URL="))]


def test_nothing_is_set_by_default(project):
    assert not [line for line in make(project, "run") if line.startswith(("PORT=", "DATA_DIR=", "HOST="))]


def test_bench_passes_only(project):
    assert "ran -m bench --only 5,6" in make(project, "bench", "ONLY=5,6")
    assert "ran -m bench" in make(project, "bench")


def test_help_is_the_default_and_lists_every_target(project):
    listed = {line.split()[1] for line in make(project)}
    assert listed == {
        "help",
        "run",
        "test",
        "check",
        "fmt",
        "pictures",
        "bench",
        "e2e",
        "chaos",
        "soak",
        "clean",
    }
