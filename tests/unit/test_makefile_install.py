"""bin/find-python and bin/install: the right interpreter, nothing twice, and interrupted installs repaired."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "/usr/bin:/bin"

# Stands for python3.13: makes environments with itself in them, and notes what pip was asked.
FAKE_PYTHON = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
*"import sys, venv, ensurepip"*) exit 0 ;;
*"sys.version_info < (3, 13)"*) exit 0 ;;
*"print(sys.executable)"*) echo "$0" ;;
"-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo venv >>calls ;;
"-m pip --version") exit 0 ;;
"-m pip install"*) echo "pip $*" >>calls; [ ! -e pip-fails ] ;;
esac
"""


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    (tmp_path / "requirements.lock").write_text("django==6.1\n")
    (tmp_path / "requirements-dev.lock").write_text("django==6.1\npytest==9\n")
    return tmp_path


def run(clone: Path, *command: str, path: str = SYSTEM) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": path, "HOME": str(clone / "home")}
    return subprocess.run(command, cwd=clone, env=environ, capture_output=True, text=True)


@pytest.fixture
def pythons(clone: Path) -> str:
    """A PATH with a good python3.13 in front."""
    script(clone / "pythons" / "python3.13", FAKE_PYTHON)
    return f"{clone / 'pythons'}:{SYSTEM}"


def calls(clone: Path) -> list[str]:
    file = clone / "calls"
    return file.read_text().splitlines() if file.exists() else []


# ---- find-python -------------------------------------------------------------------------------------


def test_finds_python313(clone, pythons):
    assert run(clone, "bin/find-python", path=pythons).stdout.strip() == str(clone / "pythons" / "python3.13")


def test_finds_pyenvs_python_without_pyenv_on_the_path(clone):
    hidden = script(clone / "home/.pyenv/versions/3.13.7/bin/python3", FAKE_PYTHON)
    assert str(hidden) in run(clone, "bin/find-python", path=only_sh(clone)).stdout


def test_says_what_was_found_what_is_needed_and_how_to_get_it(clone):
    old = 'case "$*" in *split*) echo 3.11.2 ;; *) exit 1 ;; esac'
    script(clone / "old" / "python3", f"#!/bin/sh\n{old}\n")
    done = run(clone, "bin/find-python", path=f"{clone / 'old'}:{only_sh(clone)}")
    if done.returncode == 0:
        pytest.skip("this machine has a Python 3.13 in a place we always look at")
    assert "Watchfloor needs Python 3.13" in done.stderr
    assert "Python 3.11.2" in done.stderr
    assert "uv python install 3.13" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_named_python_comes_first(clone, pythons):
    mine = script(clone / "mine" / "python", FAKE_PYTHON)
    environ = {"PATH": pythons, "HOME": str(clone), "PYTHON": str(mine)}
    done = subprocess.run(
        ["bin/find-python"], cwd=clone, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(mine)


def only_sh(clone: Path) -> str:
    """A PATH with the plain tools and no Python."""
    tools = clone / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("sh", "dirname", "cat", "env"):
        (tools / name).unlink(missing_ok=True)
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    return str(tools)


# ---- install -----------------------------------------------------------------------------------------


def test_installs_the_runtime_lock_with_hashes(clone, pythons):
    assert run(clone, "bin/install", path=pythons).returncode == 0
    assert calls(clone)[0] == "venv"
    assert "--require-hashes -r requirements.lock" in calls(clone)[1]
    assert "://" not in calls(clone)[1]


def test_a_second_run_does_nothing(clone, pythons):
    run(clone, "bin/install", path=pythons)
    before = calls(clone)
    assert run(clone, "bin/install", path=pythons).stdout == ""
    assert calls(clone) == before


def test_the_dev_lock_has_its_own_stamp(clone, pythons):
    run(clone, "bin/install", path=pythons)
    run(clone, "bin/install", "dev", path=pythons)
    assert "requirements-dev.lock" in calls(clone)[-1]
    assert calls(clone).count("venv") == 1


def test_a_changed_lock_is_installed(clone, pythons):
    run(clone, "bin/install", path=pythons)
    (clone / "requirements.lock").write_text("django==6.1.9\n")
    run(clone, "bin/install", path=pythons)
    assert len(calls(clone)) == 3


def test_an_interrupted_install_is_done_again_from_the_ground(clone, pythons):
    (clone / "pip-fails").touch()
    assert run(clone, "bin/install", path=pythons).returncode != 0
    (clone / "pip-fails").unlink()
    assert run(clone, "bin/install", path=pythons).returncode == 0
    assert "--force-reinstall" in calls(clone)[-1]
    assert not (clone / ".venv" / ".installing").exists()


def test_an_environment_whose_python_is_gone_is_made_again(clone, pythons):
    run(clone, "bin/install", path=pythons)
    (clone / ".venv/bin/python").unlink()
    run(clone, "bin/install", path=pythons)
    assert calls(clone).count("venv") == 2


def test_no_registry_is_named_anywhere():
    for path in [
        ROOT / "Makefile",
        ROOT / "requirements.lock",
        ROOT / "requirements-dev.lock",
        *ROOT.glob("bin/*"),
    ]:
        text = path.read_text()
        assert "index-url" not in text, path
        assert "find-links" not in text, path
        assert "pypi" not in text.lower(), path


def test_scripts_are_plain_sh():
    checker = shutil.which("dash") or shutil.which("sh")
    for path in ROOT.glob("bin/*"):
        assert path.read_text().startswith("#!/bin/sh\n"), path
        assert os.access(path, os.X_OK), path
        subprocess.run([checker, "-n", path], check=True)
