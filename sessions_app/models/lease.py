"""Who holds a row, or a key in Redis: the process that claimed it, so named that others on its machine can tell that
it is dead.

A lease says how long to leave a thing to somebody else.  Whoever was killed will not come back, so nobody waits for the
end of theirs; of a holder on another machine, or where there is no /proc, nothing is known, and its lease is waited for.
"""

import os
from datetime import datetime
from functools import cache
from pathlib import Path

from django.db import models

_PROC = Path("/proc")
_FORGOTTEN = frozenset("ZX")
"""States of a process that has died, and whose parent has not asked how."""


def holder() -> str:
    """This process, to be written down where others look who holds a thing; "" where the system cannot tell for sure."""
    return _name(os.getpid())  # it may have been forked since


def has_died(name: str) -> bool:
    """Whether that `holder()` is gone: certainly, and not merely as far as we know."""
    machine, _, process = name.partition("/")
    if not machine or machine != holder().partition("/")[0]:
        return False
    pid, _, began = process.partition("/")
    try:
        state, began_now = _look_up(int(pid))
    except (FileNotFoundError, ProcessLookupError):
        return True
    except (OSError, ValueError, IndexError):
        return False
    return began_now != began or state in _FORGOTTEN


def lapse_of_the_dead(rows: models.QuerySet, now: datetime, **columns: object) -> int:
    """Of `rows`, free those whose holder has died, and set `columns` of them.  Returns how many."""
    freed = 0
    for pk, until, by in rows.filter(lease_until__gt=now).values_list("pk", "lease_until", "lease_by"):
        if has_died(by):
            freed += rows.filter(pk=pk, lease_until=until).update(lease_until=None, **columns)
    return freed


@cache
def _name(pid: int) -> str:
    """`machine/pid/start`: a number is given to another process in time, but not with the same moment of start."""
    try:
        return f"{_machine()}/{pid}/{_look_up(pid)[1]}"
    except (OSError, LookupError):
        return ""


def _machine() -> str:
    """Of those who see each other: the same start of the machine, the same container, the same user.

    Raises LookupError where /proc counts processes in another way than the system calls do.
    """
    if str((_PROC / "self").readlink()) != str(os.getpid()):
        raise LookupError
    boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{boot}:{(_PROC / 'self/ns/pid').readlink().name.removeprefix('pid:')}:{os.getuid()}"


def _look_up(pid: int) -> tuple[str, str]:
    """State, and moment of start in the machine's own count: see `stat` in proc(5).  Raises OSError without such a process."""
    fields = (_PROC / str(pid) / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return fields[0], fields[19]
