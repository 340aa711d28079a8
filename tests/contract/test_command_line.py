"""`python -m sessions_app.simulator`, as a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


def start(*flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sessions_app.simulator", *flags], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_it_says_where_it_is_and_saves_on_the_way_out(tmp_path: Path) -> None:
    process = start(
        "--port",
        "0",
        "--sessions",
        "12",
        "--seed",
        "3",
        "--key",
        "bu_own",
        "--state",
        str(tmp_path / "s.json"),
    )
    try:
        line = process.stdout.readline()  # type: ignore[union-attr]
        base = re.search(r"http://127\.0\.0\.1:\d+/api/v3", line)
        assert base is not None, line
        assert "bu_own" in line
        assert "sessions=12" in line
        assert "seed=3" in line
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport) as client:
            assert (
                client.get(f"{base[0]}/sessions", headers={"X-Browser-Use-API-Key": "bu_own"}).status_code
                == 200
            )
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert (tmp_path / "s.json").exists()


def test_a_taken_port_is_one_line_and_exit_code_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("--port", str(taken.getsockname()[1]), "--sessions", "0")
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "already in use" in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_fault_that_does_not_exist_is_refused() -> None:
    process = start("--port", "0", "--faults", "locusts=1")
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "locusts" in errors


def test_it_needs_neither_django_nor_celery() -> None:
    code = (
        "import sys, sessions_app.simulator.testing, sessions_app.simulator.__main__;"
        "print([name for name in sys.modules if name.split('.')[0] in ('django', 'celery') or "
        "name.startswith('sessions_app.') and not name.startswith('sessions_app.simulator')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "[]"
