"""Where things lie in DATA_DIR, who may read them, and the lock that keeps a second `up` out."""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dashboard.processes.errors import CannotStart

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
LONGEST_SOCKET_PATH = 100
PLAIN_PATH = re.compile(r"[A-Za-z0-9._/+-]+")


def private_dir(path: Path) -> Path:
    """`path` as a directory that only we can enter.  Raises CannotStart if it is somebody else's."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.getuid():
        raise CannotStart(f"{path} is not a directory of ours. Remove it, or choose another DATA_DIR.")
    path.chmod(0o700)
    return path


def socket_path(data_dir: Path) -> Path:
    """The embedded broker's Unix socket: in DATA_DIR, or, where that name is too long for a socket or
    would need quoting in a URL, in a short directory under the system's temporary one."""
    path = data_dir / "run" / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(str(path)):
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"watchfloor-{os.getuid()}-{digest}" / "valkey.sock"


def embedded_redis_url(data_dir: Path) -> str:
    """The address of the broker that `up` starts for this DATA_DIR, as redis-py spells it."""
    return f"unix://{socket_path(data_dir)}?db=0"


@contextmanager
def only_one(data_dir: Path, note: str) -> Iterator[None]:
    """Hold DATA_DIR for ourselves.  `note` tells a second one who we are.  Raises CannotStart if it's held.

    The kernel lets go of the lock when we die, however we die.
    """
    file = (private_dir(data_dir / "run") / "up.lock").open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_taken(data_dir, file)) from None
        file.truncate(0)
        file.write(note)
        file.flush()
        yield


def _taken(data_dir: Path, file: IO[str]) -> str:
    file.seek(0)
    holder = file.read().strip() or "another process"
    return f"{data_dir} is in use by {holder}. Stop that one, or: DATA_DIR=another/directory make run"
