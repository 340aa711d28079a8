"""A host of pictures that misbehaves: real HTTP on loopback, one path per misdeed."""

import gzip
import socketserver
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

OK = "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"


def png(
    width: int = 1280, height: int = 800, colour: tuple[int, ...] = (200, 40, 40), mode: str = "RGB"
) -> bytes:
    return _encoded(Image.new(mode, (width, height), colour), "PNG")


def jpeg(width: int = 1280, height: int = 800, mode: str = "RGB") -> bytes:
    noise = Image.effect_noise((width, height), 40).convert(mode)
    return _encoded(noise, "JPEG")


def bomb() -> bytes:
    """A small PNG that says it is 12,000 × 12,000."""
    rows = zlib.compress(b"\0" * 1000)
    head = (12_000).to_bytes(4) * 2 + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


class PictureHost:
    """`url(path)`; `asked` lists the paths asked for; `files` are the well-behaved ones, (type, bytes) by path."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.files = {"/good.png": ("image/png", png()), "/good.jpg": ("image/jpeg", jpeg())}
        self.asked: list[str] = []
        self.heads: list[str] = []

    def url(self, path: str) -> str:
        return self.origin + path + "?signature=secret"

    def answer(self, path: str) -> Iterator[bytes]:
        """The bytes of an answer, piece by piece; none at all for a path that nobody knows."""
        if path in self.files:
            yield _ok(*self.files[path])
        elif path == "/elsewhere":
            yield f"HTTP/1.1 302 Found\r\nLocation: {self.origin}/good.png\r\nContent-Length: 0\r\n\r\n".encode()
        elif path in MISDEEDS:
            yield from MISDEEDS[path]()


def _endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n"
    for _ in range(200):
        yield b"\0" * 100_000


def _drip() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 900\r\n\r\n"
    for _ in range(100):
        time.sleep(0.05)
        yield b"\0"


def _drip_head() -> Iterator[bytes]:
    for letter in b"HTTP/1.1 200 OK\r\nContent-Type: image/png; " + b"x" * 100:
        time.sleep(0.05)
        yield bytes((letter,))


def _gzip() -> Iterator[bytes]:
    body = gzip.compress(b"\0" * 40_000_000)
    yield _ok("image/png", body).replace(b"Connection", b"Content-Encoding: gzip\r\nConnection", 1)


MISDEEDS: dict[str, Callable[[], Iterable[bytes]]] = {
    "/html": lambda: [_ok("text/html; charset=utf-8", b"<script>alert(1)</script>")],
    "/html-as-png": lambda: [_ok("image/png", b"<script>alert(1)</script>")],
    "/bomb": lambda: [_ok("image/png", bomb())],
    "/truncated": lambda: [_ok("image/png", png()[:600])],
    "/cut-short": lambda: [OK.format(kind="image/png", length=50_000).encode() + png()[:500]],
    "/expired": lambda: [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"],
    "/huge": lambda: [OK.format(kind="image/png", length=50_000_000).encode()],
    "/endless": _endless,
    "/gzip": _gzip,
    "/drip": _drip,
    "/drip-head": _drip_head,
}


@contextmanager
def picture_host() -> Iterator[PictureHost]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = self.rfile.readline().decode()
            lines = iter(self.rfile.readline, b"\r\n")
            host.heads.append(head + b"".join(lines).decode())
            path = head.split(" ")[1].partition("?")[0]
            host.asked.append(path)
            try:
                for piece in host.answer(path):
                    self.wfile.write(piece)
            except OSError:
                pass  # they had enough

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        host = PictureHost(server.server_address[1])
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield host
        server.shutdown()


def _ok(kind: str, body: bytes) -> bytes:
    return OK.format(kind=kind, length=len(body)).encode() + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def _encoded(image: Image.Image, kind: str) -> bytes:
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()
