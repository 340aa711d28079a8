"""The README's commands for many machines, run as they stand there: PostgreSQL, a broker over TCP, separate processes."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from cryptography.fernet import Fernet

from dashboard.processes import valkey
from dashboard.processes.ports import free_port
from sessions_app.simulator.testing import running_simulator
from tests.support.environment import ROOT, clean_environ, temporary_dir
from tests.support.servers import running

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]


def commands() -> list[list[str]]:
    """The lines of the README's block, in its order."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## PostgreSQL, Redis, many machines")[1]
    lines = re.findall(r"^    (\S.*)$", section.split("\n## ")[0], re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def as_run_here(command: list[str], port: int) -> list[str]:
    here = {"8000": str(port), "0.0.0.0": "127.0.0.1"}
    program, *rest = (here.get(word, word) for word in command)
    return [sys.executable, *([program] if program == "manage.py" else ["-m", program]), *rest]


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A database of our own on the throw-away server: the other tests have theirs."""
    name = f"many_machines_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A broker on a TCP port, as on another machine."""
    port = free_port(0)
    url = f"redis://127.0.0.1:{port}/0"
    command = [
        valkey.binary(),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]

    def ready() -> bool:
        try:
            return bool(redis.from_url(url).ping())
        except redis.RedisError:
            return False

    with running(command, ready, tmp_path / "broker.log"):
        yield url


def fetched(url: str) -> str:
    """The body, whatever the status; empty while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""


def wait_until(true, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.5)


def test_the_parts_make_a_floor(database_url: str, redis_url: str):
    directory, port = temporary_dir(), free_port(0)
    address = f"http://127.0.0.1:{port}"
    prepare, *parts = (as_run_here(command, port) for command in commands())
    assert len(parts) == 5
    with running_simulator(sessions=5) as upstream, ExitStack() as stack:
        environ = clean_environ() | {
            "DATA_DIR": str(directory),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "the same on all machines",
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "BROWSER_USE_BASE_URL": upstream.base_url,
            "BROWSER_USE_API_KEY": upstream.key,
        }
        said = subprocess.run(
            prepare, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        ).stdout
        assert "https://floor.example/accounts/link/" in said
        for number, part in enumerate(parts):
            stack.enter_context(running(part, lambda: True, directory / f"{number}.log", environ=environ))
        wait_until(lambda: 'watchfloor_live_sessions{status="running"}' in fetched(f"{address}/metrics"))
        ready = json.loads(fetched(f"{address}/readyz"))
        assert ready["parts"]["database"] == ready["parts"]["database"] | {"ok": True, "vendor": "postgresql"}
        assert ready["ready"]
        # All workers' canaries have come out at the other end: beat and all queues work.
        wait_until(
            lambda: (
                None
                not in json.loads(fetched(f"{address}/readyz"))["parts"]["broker"]["canary_age_s"].values()
            )
        )
