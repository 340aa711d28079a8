"""A small proxy between a server and whoever uses it, which can freeze, hang up on everybody, or be gone.

with TcpProxy(to="/run/valkey.sock") as proxy:  # or to=("127.0.0.1", 8000)
    … redis://127.0.0.1:{proxy.port}/0 …
    proxy.mode = "frozen"        # connections are taken, and nothing goes through any more
    proxy.mode = "reset"         # what is open is reset, and so is whatever comes
    proxy.mode = "black hole"    # nobody takes a connection, what is open hears nothing
    proxy.mode = "open"
"""

import selectors
import socket
import struct
import threading
from typing import Literal

Mode = Literal["open", "frozen", "reset", "black hole"]
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing sends RST


class TcpProxy:
    def __init__(self, to: str | tuple[str, int]) -> None:
        self._to, self.mode = to, "open"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    mode: Mode

    def __enter__(self) -> "TcpProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._listener.close()
        self._hang_up()

    def _accept(self) -> None:
        while not self._stopped.wait(0 if self.mode != "black hole" else 0.1):
            if self.mode == "reset":
                self._hang_up()
            if self.mode == "black hole":
                continue
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX if isinstance(self._to, str) else socket.AF_INET)
        try:
            server.connect(self._to)
        except OSError:
            client.close()  # the server behind is away
            return
        with self._lock:
            self._pairs.append((client, server))
        try:
            self._carry(client, server)
        except (OSError, ValueError):
            pass  # either side has gone
        client.close()
        server.close()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while not self._stopped.is_set():
                if self.mode != "open":
                    self._stopped.wait(0.05)
                    if client.fileno() < 0:
                        return
                    continue
                for key, _ in ready.select(0.1):
                    data = key.fileobj.recv(65_536)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)

    def _hang_up(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for client, server in pairs:
            try:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            except OSError:
                pass  # closed already
            client.close()
            server.close()
