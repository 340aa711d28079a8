"""The web process:  python -m dashboard.processes.web FD

uvicorn on a socket that the supervisor already listens on.  While a dead web is replaced, browsers wait in
the socket's queue instead of being refused.  (`uvicorn --fd` would take it for a Unix socket: no TCP_NODELAY.)
"""

import socket
import sys
import warnings

import uvicorn

from dashboard.asgi import application, hub

# WhiteNoise sends files of a few KB, and Django reads those whole: nothing to warn whoever starts this of.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

BACKLOG = 8192
GRACE_S = 2  # for requests under way, and for browsers that read nothing


class Server(uvicorn.Server):
    """Open event streams never end by themselves, and uvicorn would wait for them before it tells the
    application that it stops: so they are hung up first."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        hub.hang_up()
        await super().shutdown(sockets)


def main(fd: int) -> None:
    config = uvicorn.Config(
        application,
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
    Server(config).run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
