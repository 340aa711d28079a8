"""How history is kept small: statuses as small integers, hours as integers, moments as milliseconds."""

from datetime import UTC, datetime

from sessions_app.types import Status

STATUS_CODES: dict[str, int] = {
    Status.CREATED: 1,
    Status.IDLE: 2,
    Status.RUNNING: 3,
    Status.STOPPED: 4,
    Status.TIMED_OUT: 5,
    Status.ERROR: 6,
}
UNKNOWN_STATUS_CODE = 0
STATUS_OF_CODE: dict[int, str] = {code: str(status) for status, code in STATUS_CODES.items()} | {0: "unknown"}


def status_code(status: str) -> int:
    return STATUS_CODES.get(status, UNKNOWN_STATUS_CODE)


def to_ms(moment: datetime) -> int:
    """Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def from_ms(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def to_hour(moment: datetime) -> int:
    """Whole hours since 1970, UTC."""
    return int(moment.timestamp() // 3600)


def from_hour(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
