"""python -m bench [--only 1,2,ages]: a line per goal, and the same as bench.json."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

import psycopg

from bench.harness import Row
from tests.support.postgres import NoPostgres, running_postgres

DATABASES = ("SQLite", "PostgreSQL")
LAST_LINES = 60
"""Of what a broken bench said: its traceback; a server that it killed may have said a megabyte before."""
BENCHES = (
    # goal, module, databases that it runs on
    (1, "goal_01_sweep", DATABASES),
    (2, "goal_02_decode", ("SQLite",)),
    (3, "goal_03_persist", DATABASES),
    (4, "goal_04_page", ("SQLite",)),
    (5, "goal_05_push", ("SQLite",)),
    (6, "goal_06_latency", ("SQLite",)),
    (7, "goal_07_connections", ("SQLite",)),
    (8, "goal_08_bytes", ("SQLite",)),
    (9, "goal_09_requests", ("SQLite",)),
    (11, "goal_11_celery", ("SQLite",)),
    (10, "goal_10_history", DATABASES),
    (12, "goal_12_pictures", ("SQLite",)),
    ("429", "refusals", ("SQLite",)),
    ("ages", "ages", DATABASES),
    ("import", "imports", DATABASES),
    ("stops", "stops", ("SQLite",)),
    ("weight", "weight", ("SQLite",)),
    ("floor", "live_page", DATABASES),
    ("burst", "burst", ("SQLite",)),
    ("costs", "costs_page", DATABASES),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", default="", help="goals, for example 1,2,ages,weight")
    wanted = set(parser.parse_args().only.replace(",", " ").split())
    print(f"{'goal':>4}  {'what':<86} {'number':<26} {'ratio':>9}  {'goal':<9} met")
    rows = []
    for row in _rows(wanted):
        rows.append(row)
        print(_line(row), flush=True)
    Path("bench.json").write_text(json.dumps([row._asdict() for row in rows], indent=2) + "\n")
    return 0


def _line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:,.2f}×"
    met = row.why if row.met is None else "yes" if row.met else "NO"
    return f"{row.goal:>4}  {row.what:<86} {row.number:<26} {ratio:>9}  {row.wanted:<9} {met}"


def _rows(wanted: set[str]) -> Iterator[Row]:
    with ExitStack() as stack:
        postgres = None
        for goal, module, databases in BENCHES:
            if wanted and str(goal) not in wanted:
                continue
            for database in databases:
                if database == "PostgreSQL" and postgres is None:
                    try:
                        postgres = stack.enter_context(running_postgres())
                    except NoPostgres as error:
                        yield Row(goal, f"on {database}", "", None, "", None, f"not measured: {error}")
                        continue
                yield from _measured(goal, module, database, postgres if database == "PostgreSQL" else None)


def _measured(goal: int | str, module: str, database: str, url: str | None) -> Iterator[Row]:
    """In a process of its own; both sides of a ratio in the same one."""
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if url:
        environ["DATABASE_URL"] = _fresh(url, module)
    command = [sys.executable, "-m", "bench.child", module, database]
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True) as child,
    ):
        for line in child.stdout or ():  # as they come: a million sessions take half an hour
            if line.startswith("ROW "):
                yield Row(**json.loads(line[4:]))
        if child.wait():
            errors.seek(0)
            print("".join(errors.readlines()[-LAST_LINES:]), file=sys.stderr)
            yield Row(goal, f"{module} on {database}", "", None, "", None, f"broke ({child.returncode})")


def _fresh(url: str, name: str) -> str:
    """A database of its own on that server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return url.rpartition("/")[0] + f"/{name}"


if __name__ == "__main__":
    sys.exit(main())
