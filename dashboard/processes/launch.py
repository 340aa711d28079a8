"""Becomes another program that dies with its parent:  python -I -S launch.py KILL|TERM PARENT_PID COMMAND…

A script of its own rather than `preexec_fn`, which is unsafe in a process that has threads.  It imports
nothing of ours: it costs 15 ms.  Where prctl is missing (macOS) the program starts without the tie.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(signum: int, parent_pid: int) -> None:
    """Have the kernel send us `signum` when our parent dies.  Exits at once if it died meanwhile."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum)
    except (AttributeError, OSError):
        return
    if os.getppid() != parent_pid:
        os._exit(1)


if __name__ == "__main__":
    die_with_parent(signal.Signals[f"SIG{sys.argv[1]}"], int(sys.argv[2]))
    try:
        os.execvp(sys.argv[3], sys.argv[3:])
    except OSError as error:
        sys.exit(f"{sys.argv[3]}: {error.strerror}")
