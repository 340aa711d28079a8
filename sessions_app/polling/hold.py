"""A key in Redis that one worker holds at a time.  Of one that was killed nobody waits for the end (`models.lease`).

Every function raises redis.RedisError while Redis is away.
"""

from sessions_app.live.connection import client
from sessions_app.models.lease import has_died, holder

_TAKE_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
"""Two who find the same dead holder must not both have it."""


def take(key: str, for_ms: int) -> bool:
    """Whether it is ours now, until we give it back or that time is over."""
    mine = holder() or "somebody"
    if client().set(key, mine, nx=True, px=for_ms):
        return True
    held_by = client().get(key)
    if not isinstance(held_by, bytes) or not has_died(held_by.decode()):
        return False
    return bool(client().eval(_TAKE_OVER, 1, key, held_by, mine, for_ms))


def give_back(key: str) -> None:
    client().delete(key)
