"""What can go wrong on demand, each with a probability and, if wished, for some calls and a number of times only.

As text (`--faults`):  rate_limit=0.1,retry_after=2,throttle=10,server_error=0.05,slow=0.1:3,truncate=0.02,shift_pages,order=oldest
As JSON (control):     {"kind": "server_error", "probability": 1, "path": "/sessions", "method": "GET", "count": 3}
"""

import time
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from .dice import Dice, key_of

API = "/api/v3"
ROOMS = (API, "/pictures", "/live", "/recordings")
REFUSING = (
    "rate_limit",
    "throttle",
    "server_error",
    "status",
    "html_200",
    "canned",
    "drop",
    "drip_headers",
)  # instead of an answer
SENDING = ("truncate", "drip")  # the right answer, sent wrong
DATA = ("shift_pages", "unknown_enums", "new_fields", "order")  # a good answer, with surprises in it
STOPPING = ("stop_ignored", "stop_delayed", "stop_drops_after_effect")
KINDS = (*REFUSING, *SENDING, *DATA, *STOPPING, "slow")
_WHOLE = {"stop_delayed"}  # in text, their only number is seconds rather than a probability


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One thing that goes wrong. `path` is a prefix, or a pattern if it has a `*`; below /api/v3 unless it names another room."""

    kind: Literal[KINDS]  # type: ignore[valid-type]
    probability: float = 1.0
    path: str = ""
    method: str = ""
    count: int | None = None  # how many times still; None: for ever
    seconds: float = 0.0  # slow, drip (per byte), stop_delayed
    retry_after: int | str = 2  # rate_limit, throttle: seconds, "date" or "none"
    per_second: float = 10.0  # throttle: as many requests a second, and as many at once
    status: int | None = None  # server_error, status, canned
    detail: Any = None  # status
    body: str = ""  # canned, html_200
    body_base64: str = ""  # canned: for bytes that are no text, such as a gzip bomb
    content_type: str = "application/json"  # canned
    headers: dict[str, str] = msgspec.field(default_factory=dict)  # canned, status
    order: str = "oldest"  # order: oldest | newest | random | updated
    share: float = 0.25  # unknown_enums: how many of the sessions

    def fits(self, method: str, path: str) -> bool:
        """`path` as the request has it. A fault that names no path strikes the API only, never pictures or live views."""
        if self.count == 0 or (self.method and self.method.upper() != method):
            return False
        if not self.path:
            return path.startswith(API)
        wanted = self.path if self.path.startswith(ROOMS) else API + self.path
        return fnmatchcase(path, wanted) if "*" in wanted else path.startswith(wanted)


class Faults:
    """The active set."""

    def __init__(self, active: Iterable[Fault] = (), seed: int = 0) -> None:
        self.active = list(active)
        self._seed, self._rolls = seed, 0
        self._buckets: dict[int, Bucket] = {}

    def set(self, *given: Any, **spec: Any) -> None:
        """Replace the active set: by Faults, dicts or texts; or `set(server_error=1, slow="0.5:3")`."""
        words = [name if value is True else f"{name}={value}" for name, value in spec.items()]
        self.active = [
            fault for item in (*given, *([",".join(words)] if words else [])) for fault in parse(item)
        ]

    def clear(self) -> None:
        self.active = []

    def take(self, kinds: Iterable[str], method: str, path: str) -> Fault | None:
        """The first fault of these kinds that strikes this call; it is counted."""
        for fault in self.active:
            if fault.kind not in kinds or not fault.fits(method, path):
                continue
            if fault.kind == "throttle" and self._bucket_of(fault).allows():
                continue
            if self.dice().chance(fault.probability):
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None

    def _bucket_of(self, fault: Fault) -> "Bucket":
        return self._buckets.setdefault(id(fault), Bucket(fault.per_second))

    def dice(self) -> Dice:
        self._rolls += 1
        return Dice(key_of(self._seed, "faults", self._rolls))


class Bucket:
    """How a rate limit is kept: so many tokens a second, and so many at most (one at least)."""

    def __init__(self, per_second: float) -> None:
        self._rate, self._most = per_second, max(1.0, per_second)
        self._tokens, self._at = self._most, time.monotonic()

    def allows(self) -> bool:
        """One request more; False when it is one too many, which costs nothing."""
        now = time.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def parse(given: Any) -> list[Fault]:
    """Text, a dict, a list of dicts, or {"faults": […]} → faults. ValueError says what is wrong."""
    if isinstance(given, Fault):
        return [given]
    if isinstance(given, str):
        return _parse_text(given)
    if isinstance(given, dict) and "faults" in given:
        given = given["faults"]
    try:
        return msgspec.convert(given if isinstance(given, list) else [given], list[Fault])
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}; kinds are {', '.join(KINDS)}") from error


def _parse_text(text: str) -> list[Fault]:
    words = [word.strip().partition("=") for word in text.split(",") if word.strip()]
    retry_after = next((value for name, _, value in words if name == "retry_after"), "2")
    faults = [_parse_word(name, value) for name, _, value in words if name != "retry_after"]
    for fault in faults:
        fault.retry_after = int(retry_after) if retry_after.lstrip("-").isdigit() else retry_after
    return faults


def _parse_word(name: str, value: str) -> Fault:
    if name not in KINDS:
        raise ValueError(f"unknown fault {name!r}; kinds are {', '.join(KINDS)}")
    if name == "order":
        return Fault(kind=name, order=value or "oldest")
    first, _, second = value.partition(":")
    try:
        if name == "throttle":
            return Fault(kind=name, per_second=float(first or 10))
        if name in _WHOLE and not second:
            return Fault(kind=name, seconds=float(first or 5))
        default = {"slow": 3.0, "drip": 0.02, "drip_headers": 0.2}.get(name, 0.0)
        return Fault(kind=name, probability=float(first or 1), seconds=float(second or default))
    except ValueError:
        raise ValueError(f"{name}={value}: a probability, or probability:seconds") from None


def strange_enums(reply: dict[str, Any], share: float) -> dict[str, Any]:
    """Values that no published list has, in some sessions; always the same ones, so that re-reading agrees."""
    dice = Dice(key_of("strange", reply["id"]))
    strange = {"status": "hibernating", "model": "claude-next-9", "proxyCountryCode": "zz"}
    return reply | {name: value for name, value in strange.items() if dice.chance(share)}


def strange_fields(reply: dict[str, Any]) -> dict[str, Any]:
    """Fields of a future release."""
    return reply | {
        "sandboxRegion": "eu-north-1",
        "queuePosition": None,
        "agentRelease": {"name": "9.1", "canary": True},
    }
