"""Signed webhooks, as the vendor's documentation has them: to one address, about `running`, `idle` and `stopped` only."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from .dice import Dice, key_of
from .model import Session

TOLD = ("running", "idle", "stopped")  # `error` and `timed_out` are learned by polling
TRIES, PAUSE_S, TIMEOUT_S = 4, 1.0, 5.0


class Webhooks:
    """Nothing is sent while `url` is empty. `sent` is what was delivered: {session_id, status, answer}, oldest first."""

    def __init__(self, url: str = "", secret: str = "") -> None:
        self.url, self.secret = url, secret
        self.sent: deque[dict[str, Any]] = deque(maxlen=1000)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=10_000)

    def note(self, session: Session, at: int) -> None:
        """A session has a new status. Cheap: it is sent from elsewhere."""
        if self.url and session.status in TOLD:
            task_id = Dice(key_of(session.key, "task", len(session.tasks))).uuid()
            self._waiting.append(
                {"task_id": task_id, "session_id": session.id, "status": session.status, "metadata": {}}
            )

    async def send_forever(self) -> None:
        """In order, one at a time; one that is refused for good is given up."""
        while True:
            while self._waiting:
                await self._deliver(self._waiting.popleft())
            await asyncio.sleep(0.05)

    async def _deliver(self, payload: dict[str, Any]) -> None:
        answer = 0
        for _ in range(TRIES):
            answer = await asyncio.to_thread(self.post, "agent.task.status_update", payload)
            if 0 < answer < 500:
                break
            await asyncio.sleep(PAUSE_S)
        self.sent.append(payload | {"answer": answer})

    def post(self, kind: str, payload: dict[str, Any]) -> int:
        """Send it once, now. Returns the status, 0 for no answer."""
        moment = time.time()
        said = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
        body, headers = signed(
            self.secret, {"type": kind, "timestamp": said, "payload": payload}, int(moment)
        )
        try:
            return _post(self.url, body, headers)
        except (OSError, http.client.HTTPException):
            return 0


def signed(secret: str, message: dict[str, Any], seconds: int) -> tuple[bytes, dict[str, str]]:
    """Body and headers. The body travels with blanks and in its own order; what is signed is the sorted, dense form."""
    dense = json.dumps(message, sort_keys=True, separators=(",", ":"))
    signature = hmac.new(secret.encode(), f"{seconds}.{dense}".encode(), hashlib.sha256).hexdigest()
    return json.dumps(message).encode(), {
        "Content-Type": "application/json",
        "X-Browser-Use-Timestamp": str(seconds),
        "X-Browser-Use-Signature": signature,
    }


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path or "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
