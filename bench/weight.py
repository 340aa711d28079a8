"""Page weight: everything but pictures that a browser without a cache fetches for the live floor.

HTML is counted as the application answers it, static files as WhiteNoise sends them: gzipped, or as they are
where that is less.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings

from bench.harness import Row
from sessions_app.access.roles import ensure_roles
from tests.support.factories import make_account, make_sessions

SHOWN, GOAL_BYTES = 50, 60_000
LINKED = re.compile(r'(?:href|src)="/static/([^"]+\.(?:css|js))"')
IMPORTED = re.compile(r'(?:\bfrom|\bimport)\s*"(\.{1,2}/[^"]+\.js)"')
"""`import("./…")` is fetched when somebody first wants it: no part of a cold page."""


def rows(database: str) -> Iterator[Row]:
    sizes = weigh()
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        yield Row("weight", name, f"{size:,} bytes", None, "", None, "part of the sum")
    total = sum(sizes.values())
    what = f"Live, cold, {SHOWN} rows: {len(sizes)} files without pictures"
    yield Row("weight", what, f"{total:,} bytes", None, "< 60 KB", total < GOAL_BYTES)


def weigh() -> dict[str, int]:
    """Bytes on the wire by file."""
    ensure_roles()
    user = User.objects.create_user("scales")
    user.groups.add(Group.objects.get(name="admin"))
    make_sessions(SHOWN, account=make_account())
    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(user)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        response = client.get("/")
    assert response.status_code == 200
    packed = response.headers.get("Content-Encoding") == "gzip"
    page = gzip.decompress(response.content) if packed else response.content
    named = "HTML, gzipped" if packed else "HTML, not compressed"
    return {named: len(response.content)} | {name: _sent(name) for name in closure(page.decode())}


def closure(html: str) -> list[str]:
    """Style sheets and scripts that the page links, and every module that those import."""
    waiting, found = LINKED.findall(html), []
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.append(name)
        if name.endswith(".js"):
            waiting += [_beside(name, other) for other in IMPORTED.findall(_read(name).decode())]
    return found


def _beside(name: str, other: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / other).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _read(name: str) -> bytes:
    """As collected: the page names it by its content."""
    return (Path(settings.STATIC_ROOT) / name).read_bytes()


def _sent(name: str) -> int:
    packed = Path(settings.STATIC_ROOT) / f"{name}.gz"
    return packed.stat().st_size if packed.exists() else len(_read(name))
