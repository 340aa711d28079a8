"""The first page of ten thousand live sessions: what it costs the server, what it weighs, how often it asks the database."""

import gzip
import time
from collections.abc import Iterator
from statistics import median, quantiles

from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from bench.harness import Row
from sessions_app.access.roles import ensure_roles
from sessions_app.queries import recent
from tests.support.factories import make_account, make_sessions

FEW, MANY, BATCH = 100, 10_000, 1_000
REQUESTS = 60
PATHS = {"list": "/?view=list", "TV": "/?view=tv"}


def rows(database: str) -> Iterator[Row]:
    """CPU of the web process, wall time beside it: what the database does in another process is in the latter alone."""
    account = make_account()
    make_sessions(FEW, account=account)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        client = _signed_in()
        before = {name: _queries(client, path) for name, path in PATHS.items()}
        for _ in range((MANY - FEW) // BATCH + 1):
            make_sessions(BATCH, account=account)
        for name, path in PATHS.items():
            yield from _page(client, name, path, before[name], database)


def _page(client: Client, name: str, path: str, queries_before: int, database: str) -> Iterator[Row]:
    queries = _queries(client, path)
    cpu, wall, body = _measured(client, path)
    what = f"{name} of {MANY:,} live sessions, first page, {database}"
    yield Row("floor", what, _words(cpu, "CPU"), None, "", None, _words(wall, "wall"))
    packed = len(gzip.compress(body, compresslevel=6))
    yield Row("floor", f"{what}: bytes", f"{packed:,} gzipped", None, "", None, f"{len(body):,} plain")
    wanted = f"≤ {queries_before}"
    yield Row("floor", f"{what}: queries", str(queries), None, wanted, queries <= queries_before)


def _measured(client: Client, path: str) -> tuple[list[float], list[float], bytes]:
    """Milliseconds of each request; nothing of the floor's pulse or choices is kept from the one before."""
    cpu, wall, body = [], [], b""
    for number in range(REQUESTS + 1):
        recent._kept.clear()
        began, began_cpu = time.perf_counter(), time.process_time()
        body = client.get(path).content
        if number:
            wall.append((time.perf_counter() - began) * 1e3)
            cpu.append((time.process_time() - began_cpu) * 1e3)
    return cpu, wall, body


def _queries(client: Client, path: str) -> int:
    client.get(path)
    recent._kept.clear()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def _words(milliseconds: list[float], kind: str) -> str:
    return f"p50 {median(milliseconds):.1f}, p95 {quantiles(milliseconds, n=20)[-1]:.1f} ms {kind}"


def _signed_in() -> Client:
    ensure_roles()
    user = User.objects.create_user("bench")
    user.groups.add(Group.objects.get(name="admin"))
    client = Client()
    client.force_login(user)
    return client
