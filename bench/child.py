"""One goal on one database, in a process of its own: `python -m bench.child goal_03_persist SQLite`, rows as JSON lines."""

import importlib
import sys

import msgspec

from bench.house import furnished


def main(module: str, database: str) -> None:
    with furnished():
        for row in importlib.import_module(f"bench.{module}").rows(database):
            sys.stdout.buffer.write(b"ROW " + msgspec.json.encode(row._asdict()) + b"\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
