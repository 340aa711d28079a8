"""The web process:  python -m dashboard.processes.web FD

uvicorn on a socket that the supervisor already listens on.  While a dead web is replaced, browsers wait in
the socket's queue instead of being refused.  (`uvicorn --fd` would take it for a Unix socket: no TCP_NODELAY.)
"""

import socket
import sys

import uvicorn

BACKLOG = 8192
GRACE_S = 3  # open event streams never end by themselves; uvicorn would wait for them over 20 s


def main(fd: int) -> None:
    config = uvicorn.Config(
        "dashboard.asgi:application",
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,  # Django's LOGGING speaks for everybody
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
