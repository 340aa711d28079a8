"""`python -m sessions_app.simulator`: the stand-in without Django."""

import argparse
import sys

from .flags import add_flags, options
from .server import serve


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sessions_app.simulator", description="A stand-in for Browser Use Cloud (v3)."
    )
    add_flags(parser)
    return serve(**options(vars(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
