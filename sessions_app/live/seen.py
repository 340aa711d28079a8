"""What came already, for a while: so that a message that is delivered twice counts once, in all web processes."""

from sessions_app.live.connection import client


def was_seen(mark: str) -> bool:
    """Whether this was noted, and the note is not too old.  Raises redis.RedisError."""
    return bool(client().exists(_key(mark)))


def note(mark: str, for_s: int) -> bool:
    """Remember it for so many seconds; False when somebody else has just done so.  Raises redis.RedisError."""
    return bool(client().set(_key(mark), 1, nx=True, ex=for_s))


def _key(mark: str) -> str:
    return f"watchfloor:seen:{mark}"
