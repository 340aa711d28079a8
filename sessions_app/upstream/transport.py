"""The one place that speaks HTTP to Browser Use: pooled, bounded in time and size, every failure typed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NamedTuple

import httpx
import msgspec

from . import again
from .background import loop
from .body import read_body
from .errors import BadReply, UpstreamError
from .failures import from_httpx, from_status, timed_out
from .meter import Meter, Unmetered, over_budget
from .tls import authorities

CONNECTIONS, KEPT_ALIVE = 32, 8  # readings that hang, three tries each, must leave some to a stop
AT_ONCE = 4  # CPU per page doubles between 1 and 32 at once, and 8 gain little over 4
READ_DEADLINE_S = 10.0
CONNECT_S = 5.0
CLIENTS_KEPT = 256
_REFUSAL_BYTES, _REFUSAL_S = 64 * 1024, 2.0
_NO_COOKIES = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
_REQUEST_LEAVES = "send_request_headers.started"


class Reply(NamedTuple):
    """A 2xx with JSON in it.  `read_at`: when its request began."""

    read_at: datetime
    body: bytes


@dataclass
class Call:
    """One request.  `sent` turns True when its first byte leaves."""

    path: str
    params: dict[str, str | int] | None = None
    deadline_s: float = READ_DEADLINE_S
    write: dict[str, Any] | None = None
    sent: bool = False
    repeated: int = 0

    @property
    def is_write(self) -> bool:
        return self.write is not None

    def repeats(self) -> None:
        self.repeated += 1

    async def note(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's trace: tells a POST that never left from one that may have taken effect."""
        self.sent = self.sent or event.endswith(_REQUEST_LEAVES)


class Transport:
    """Requests to one base URL with one key.  Thread-safe and fork-safe; connections are kept per process."""

    def __init__(self, base_url: str, api_key: str, proxy: str = "", meter: Meter | None = None) -> None:
        self._base_url, self._key, self._proxy = base_url.rstrip("/"), api_key, proxy
        self._meter = meter or Unmetered()

    def send(self, call: Call) -> Reply:
        """One request: a write leaves at most once, a read that breaks or hangs is asked again.

        Raises UpstreamError; after a write its `may_have_happened` says what is known.
        """
        if not self._meter.admit(1):
            raise over_budget(self._meter)
        error = None
        try:
            return loop().run(lambda: self._send(call))
        except UpstreamError as caught:
            error = caught
            raise
        finally:
            self._meter.heard([error], call.repeated)

    def send_many(self, calls: Sequence[Call]) -> list[Reply | UpstreamError]:
        """Reads, at most four at a time, results in the order asked for; a failure spoils only its own place.

        Those beyond the budget, the last ones, are OverBudget.
        """
        admitted = self._meter.admit(len(calls)) if calls else 0
        results = loop().run(lambda: self._send_many(calls[:admitted]))
        self._meter.heard(results, sum(call.repeated for call in calls))
        return results + [over_budget(self._meter) for _ in calls[admitted:]]

    async def _send_many(self, calls: Sequence[Call]) -> list[Reply | UpstreamError]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def in_turn(call: Call) -> Reply | UpstreamError:
            async with turns:
                try:
                    return await self._send(call)
                except UpstreamError as error:
                    return error

        return list(await asyncio.gather(*map(in_turn, calls)))

    async def _send(self, call: Call) -> Reply:
        """Within the call's wall deadline: time-outs of single reads don't stop a reply that drips."""
        try:
            async with asyncio.timeout(call.deadline_s):
                if call.is_write:
                    return await self._exchange(call)
                return await again.read(self._base_url, lambda: self._exchange(call), call.repeats)
        except TimeoutError:
            raise timed_out(call.deadline_s, sent=call.sent, is_write=call.is_write) from None

    async def _exchange(self, call: Call) -> Reply:
        read_at = datetime.now(UTC)
        try:
            response = await self._request(call)
            try:
                return Reply(read_at, await self._body_of(response, call))
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise from_httpx(error, sent=call.sent, is_write=call.is_write) from error

    async def _request(self, call: Call) -> httpx.Response:
        client = await self._client()
        content = msgspec.json.encode(call.write) if call.is_write else None
        request = client.build_request(
            "POST" if call.is_write else "GET",
            self._base_url + call.path,
            params=call.params,
            content=content,
            headers={"Content-Type": "application/json"} if call.is_write else None,
            extensions={"trace": call.note} if call.is_write else None,
        )
        return await client.send(request, stream=True)

    async def _body_of(self, response: httpx.Response, call: Call) -> bytes:
        if not response.is_success:
            said = await _refusal_body(response)
            raise from_status(response, said, is_write=call.is_write, key=self._key)
        try:
            body = await read_body(response)
            _check_json(response, body)
        except BadReply as error:
            error.status_code, error.may_have_happened = response.status_code, call.is_write
            raise
        return body

    async def _client(self) -> httpx.AsyncClient:
        """On the loop's thread only."""
        clients: dict[tuple[str, str, str], httpx.AsyncClient] = loop().state
        place = (self._base_url, self._key, self._proxy)
        client = clients.get(place)
        if client is None:
            while len(clients) >= CLIENTS_KEPT:
                await clients.pop(next(iter(clients))).aclose()
            client = clients[place] = _new_client(self._key, self._proxy)
        return client


def _new_client(key: str, proxy: str) -> httpx.AsyncClient:
    """Redirects are not followed (httpx would carry the key to the other host), and proxy variables of
    the environment are not obeyed (they would get the key): a proxy is a setting."""
    return httpx.AsyncClient(
        headers={
            "X-Browser-Use-API-Key": key,
            "User-Agent": "watchfloor",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        },
        verify=authorities(),
        proxy=proxy or None,
        cookies=_NO_COOKIES,
        trust_env=False,
        follow_redirects=False,
        http2=False,
        timeout=httpx.Timeout(None, connect=CONNECT_S),
        limits=httpx.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=KEPT_ALIVE, keepalive_expiry=30
        ),
    )


async def _refusal_body(response: httpx.Response) -> bytes:
    """What came with a refusal, if it comes soon and is small: the status alone says enough."""
    try:
        async with asyncio.timeout(_REFUSAL_S):
            return await read_body(response, _REFUSAL_BYTES)
    except (BadReply, httpx.HTTPError, TimeoutError):
        return b""


def _check_json(response: httpx.Response, body: bytes) -> None:
    """A sign-in page or a proxy's apology with status 200 is no answer.  Full parsing comes later."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if "html" in kind or body.lstrip()[:1] == b"<":
        raise BadReply(
            "Browser Use answered with a web page instead of data. Check the base URL and any proxy."
        )
    if "json" not in kind and body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        raise BadReply(
            f"Browser Use answered with something that is not JSON ({kind[:60] or 'no type said'})."
        )
