"""When each living session was last read, whether it had changed or not.  The database only knows of changes: to
write a thousand unchanged rows every two seconds would be most of what it does.  So this lives in Redis, and whoever
finds nothing there falls back on what the account claims as a whole."""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import redis

from sessions_app.live.connection import client

log = logging.getLogger(__name__)
KEPT_S = 24 * 3600


def note(account_pk: int, read: Mapping[UUID, datetime], kind: str = "read") -> None:
    """These were read, by requests that began then.  An earlier reading never replaces a later one.  Never raises."""
    if not read:
        return
    try:
        with client().pipeline(transaction=False) as pipeline:
            marks = {uuid.bytes: moment.timestamp() for uuid, moment in read.items()}
            pipeline.zadd(_key(account_pk, kind), marks, gt=True)
            pipeline.zremrangebyscore(_key(account_pk, kind), "-inf", time.time() - KEPT_S)
            pipeline.expire(_key(account_pk, kind), KEPT_S)
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        log.warning("ages: Redis is away (%s)", type(error).__name__)


def known(account_pk: int, uuids: Iterable[UUID], kind: str = "read") -> dict[UUID, datetime] | None:
    """When each was last read; those of whom nothing is known are left out.  None when Redis is away."""
    wanted = list(uuids)
    if not wanted:
        return {}
    try:
        members: list[Any] = [uuid.bytes for uuid in wanted]
        moments = client().zmscore(_key(account_pk, kind), members)
    except (redis.RedisError, OSError):
        return None
    return {
        uuid: datetime.fromtimestamp(moment, UTC)
        for uuid, moment in zip(wanted, moments, strict=True)
        if moment is not None
    }


def _key(account_pk: int, kind: str) -> str:
    return f"ages:{kind}:{account_pk}"
