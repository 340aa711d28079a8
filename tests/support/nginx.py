"""A real nginx before a floor, set up as docs/operations.md tells people to: for HTTPS, and for one name.

with Nginx(floor_port=8000) as nginx:
    nginx.url          # https://localhost:PORT, with a certificate that nobody signed
"""

import datetime
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dashboard.processes.ports import free_port
from tests.support.environment import ROOT, temporary_dir

FETCH_S = 240
UP_S = 10
CONF = """
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ }}
http {{
    access_log off;
    proxy_read_timeout 20s;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
{server}
}}
"""


def find() -> str | None:
    """nginx on the PATH, fetched from the system's packages where we are root and there is none."""
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if path or os.geteuid() != 0 or not shutil.which("apt-get"):
        return path
    for command in (["update"], ["install", "-y", "--no-install-recommends", "nginx-light"]):
        subprocess.run(["apt-get", *command], timeout=FETCH_S, stdin=subprocess.DEVNULL, capture_output=True)
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def documented() -> str:
    """The server block of docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    block = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert block, "docs/operations.md shows a server block"
    return block.group(1)


class Nginx:
    def __init__(self, program: str, floor_port: int) -> None:
        self._program, self._dir, self.port = program, temporary_dir(), free_port(0)
        self.url = f"https://localhost:{self.port}"
        self._conf = self._dir / "nginx.conf"
        self._conf.write_text(CONF.format(dir=self._dir, server=self._server(floor_port)))

    def _server(self, floor_port: int) -> str:
        """As documented, but for names, ports and the certificate, each of which must be there to be replaced."""
        block = documented()
        certificate, key = _certificate(self._dir)
        for shown, ours in (
            ("listen 443 ssl http2", f"listen 127.0.0.1:{self.port} ssl http2"),
            ("server_name floor.example", "server_name localhost"),
            ("/etc/ssl/floor.example.pem", str(certificate)),
            ("/etc/ssl/floor.example.key", str(key)),
            ("http://127.0.0.1:8000", f"http://127.0.0.1:{floor_port}"),
        ):
            assert shown in block, f"docs/operations.md no longer says {shown!r}"
            block = block.replace(shown, ours)
        return block

    def __enter__(self) -> "Nginx":
        command = [self._program, "-p", str(self._dir), "-c", str(self._conf), "-g", "daemon off;"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + UP_S
        while not _answers(self.port):
            assert self._process.poll() is None, self._process.stderr.read().decode()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _certificate(directory: Path) -> tuple[Path, Path]:
    """For localhost, of today, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "certificate.pem", directory / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths
