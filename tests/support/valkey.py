"""A real Valkey for tests, on its own socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from dashboard.processes import valkey
from dashboard.processes.layout import embedded_redis_url, socket_path
from tests.support.servers import running


@contextmanager
def running_valkey(data_dir: Path) -> Iterator[redis.Redis]:
    """The broker that `up` would start for `data_dir`.  Yields a client (replies as bytes)."""
    client = redis.from_url(embedded_redis_url(data_dir))
    command = valkey.command(socket_path(data_dir), data_dir / "valkey", maxmemory="128mb")

    def ready() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    with running(command, ready, data_dir / "valkey.log"):
        yield client
        client.close()
