"""The environment → what to run.  Pure: reads a mapping, starts nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.processes.errors import CannotStart
from dashboard.processes.layout import embedded_redis_url

SIMULATOR_KEY = "bu_simulator"
SIMULATOR_FLAGS = {  # variable → the simulator's flag
    "WATCHFLOOR_SIMULATOR_SESSIONS": "--sessions",
    "WATCHFLOOR_SIMULATOR_SPEED": "--speed",
    "WATCHFLOOR_SIMULATOR_SEED": "--seed",
}


@dataclass(frozen=True)
class Choices:
    """What this start runs, and where."""

    host: str
    port: int
    data_dir: Path
    redis_url: str
    embedded_broker: bool
    simulator: bool
    simulator_flags: tuple[str, ...] = field(default=())

    @property
    def address(self) -> str:
        """The address for a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}"


def choose(environ: Mapping[str, str], data_dir: Path) -> Choices:
    """What the environment asks for.  Empty values count as unset.  Raises CannotStart."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if "BROWSER_USE_BASE_URL" in given and "BROWSER_USE_API_KEY" not in given:
        raise CannotStart(
            "BROWSER_USE_BASE_URL is set but BROWSER_USE_API_KEY is not. Set the key too, "
            "or neither of them to watch the built-in simulator."
        )
    return Choices(
        host=given.get("HOST", "127.0.0.1"),
        port=_port(given.get("PORT", "8000")),
        data_dir=data_dir,
        redis_url=given.get("REDIS_URL") or embedded_redis_url(data_dir),
        embedded_broker="REDIS_URL" not in given,
        simulator="BROWSER_USE_API_KEY" not in given,
        simulator_flags=tuple(
            part for name, flag in SIMULATOR_FLAGS.items() if name in given for part in (flag, given[name])
        ),
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def environment(choices: Choices, simulator_port: int | None) -> dict[str, str]:
    """What every child gets on top of our own environment."""
    extra = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "DATA_DIR": str(choices.data_dir),
        "REDIS_URL": choices.redis_url,
        "PYTHONUNBUFFERED": "1",
    }
    if simulator_port:
        extra |= {
            "BROWSER_USE_BASE_URL": f"http://127.0.0.1:{simulator_port}/api/v3",
            "BROWSER_USE_API_KEY": SIMULATOR_KEY,
            "WATCHFLOOR_SIMULATOR": "1",
        }
    return extra
