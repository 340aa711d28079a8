"""Ports: the web's listening socket, and a free port for the simulator."""

import errno
import socket

from dashboard.processes.errors import CannotStart


def listen(host: str, port: int) -> socket.socket:
    """A socket that holds `host:port` (0: any) from now on.  Raises CannotStart if that can't be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server = socket.socket(family, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        server.listen(8192)
    except OSError as error:
        raise CannotStart(_why(host, port, error)) from error
    return server


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken on {host}. Take another: PORT={free_port(port + 1)} make run"
    if error.errno == errno.EACCES:
        return f"Port {port} needs root. Take one above 1023: PORT=8000 make run"
    return f"Cannot listen on {host}:{port}: {error.strerror or error}. Set HOST and PORT."


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """`preferred` if nobody listens there, else any free port.  Only a hint: it isn't held."""
    for port in (preferred if preferred < 65536 else 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise CannotStart("No free port on this machine.")
