"""Where the hub hears of changes: from Redis at once, and from the database whatever Redis did not tell."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import redis.asyncio
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sessions_app.live.house import Change, Tempo
from sessions_app.live.publish import CHANNEL, PEOPLE, Message

log = logging.getLogger(__name__)

LISTEN_S = 1.0  # how long one wait for a message takes
SILENCE_S = 4.0  # without an answer to our pings for so long, the connection is half-open
RETRY_S = 0.5


class Source:
    """`tell(changed ids, new ids)` is called in the loop; with no ids, an account was merely read again.
    `people_changed()`: somebody may have to go."""

    def __init__(
        self,
        redis_url: str,
        changed_since_any: Callable[[datetime], Awaitable[list[Change]]],
        tell: Callable[[Iterable[int], Iterable[int]], None],
        people_changed: Callable[[], None],
        tempo: Tempo,
    ) -> None:
        self._redis_url = redis_url
        self._changed_since_any = changed_since_any
        self._tell = tell
        self._people_changed = people_changed
        self._tempo = tempo
        self._look = asyncio.Event()
        self.listening = False
        """Whether Redis answers."""

    async def listen_forever(self) -> None:
        """One subscription, renewed whenever it breaks."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it is, there is the database
                if self.listening:
                    log.warning("live push: Redis is away (%s), asking the database", type(error).__name__)
                self.listening = False
                self._look.set()
            await asyncio.sleep(RETRY_S)

    async def poll_forever(self) -> None:
        """Asks the database: often while Redis is away, now and then otherwise, at once after each change of that."""
        moment = datetime.now(UTC)
        while True:
            pause_s = self._tempo.poll_s if self.listening else self._tempo.poll_alone_s
            try:
                async with asyncio.timeout(pause_s):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            moment = await self._poll(moment)

    async def _poll(self, moment: datetime) -> datetime:
        """Tells what changed since; returns from when to look next time (the same moment if it could not look)."""
        began = datetime.now(UTC)
        try:
            changes = await self._changed_since_any(moment - timedelta(seconds=self._tempo.overlap_s))
        except Exception as error:  # noqa: BLE001 - whatever the database says, the streams stay open
            log.warning("live push: cannot read changes (%s)", type(error).__name__)
            return moment
        if changes:
            self._tell([c.session_id for c in changes], [c.session_id for c in changes if c.is_new])
        return began

    async def _listen(self) -> None:
        client = redis.asyncio.Redis.from_url(
            self._redis_url, socket_timeout=SILENCE_S, socket_connect_timeout=1, protocol=2,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        async with client, client.pubsub() as subscription:
            await subscription.subscribe(CHANNEL, PEOPLE)
            await self._read(subscription)

    async def _read(self, subscription: PubSub) -> None:
        heard_at = time.monotonic()
        while True:
            message = await subscription.get_message(timeout=LISTEN_S)
            if message is None:
                if time.monotonic() - heard_at > SILENCE_S:
                    raise TimeoutError("no answer to our pings")
                await subscription.ping()
                continue
            heard_at = time.monotonic()
            if message["type"] == "subscribe":
                self.listening = True
                self._look.set()  # for what was said while nobody listened
            elif message["type"] == "message":
                self._hear(message["channel"], message["data"])

    def _hear(self, channel: bytes, data: bytes) -> None:
        if channel == PEOPLE.encode():
            self._people_changed()
            return
        try:
            message = msgspec.json.decode(data, type=Message)
        except msgspec.DecodeError:
            log.warning("live push: an unreadable message on %s", CHANNEL)
            return
        self._tell(message.session_ids, message.new_ids)
