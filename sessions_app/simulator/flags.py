"""The command line, shared by `python -m sessions_app.simulator` and `manage.py simulate`."""

import argparse
from typing import Any

_NAMES = (
    "host",
    "port",
    "sessions",
    "seed",
    "speed",
    "key",
    "state_file",
    "faults",
    "webhook_url",
    "webhook_secret",
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8787, help="port to listen on, 0 for any free one (default %(default)s)"
    )
    parser.add_argument(
        "--sessions", type=_natural, default=60, help="sessions alive or recently ended (default %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="the same seed gives the same floor (default %(default)s)"
    )
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help="simulated seconds per second (default %(default)s)"
    )
    parser.add_argument("--key", default="bu_simulator", help="the API key to accept (default %(default)s)")
    parser.add_argument(
        "--state", dest="state_file", metavar="FILE", help="remember the floor here across restarts"
    )
    parser.add_argument(
        "--faults",
        default="",
        metavar="SPEC",
        help="for example rate_limit=0.1,retry_after=2,slow=0.1:3,drop=0.02",
    )
    parser.add_argument(
        "--webhook-url", default="", metavar="URL", help="tell this address of each new status, signed"
    )
    parser.add_argument("--webhook-secret", default="", metavar="SECRET", help="what they are signed with")


def options(parsed: dict[str, Any]) -> dict[str, Any]:
    """What `serve` wants of a parser's results."""
    return {name: parsed[name] for name in _NAMES}


def _natural(text: str) -> int:
    if int(text) < 0:
        raise argparse.ArgumentTypeError("0 or more")
    return int(text)


def _positive(text: str) -> float:
    if not 0 < float(text) < 100_000:
        raise argparse.ArgumentTypeError("more than 0")
    return float(text)
