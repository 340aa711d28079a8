"""The simulator with a rate limit and a memory: when was each session last handed out?  `python -m bench.ages_vendor`

GET /_ages  for every living session [care, id, seconds since the last request that was answered with it, whether there
was one], how long the list is, how many requests came and were refused, and in how many seconds one may ask again
(below zero: since when).  It is the vendor that tells, not our own bookkeeping.
"""

import sys
import time
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec

from sessions_app.rules.freshness import care_of
from sessions_app.simulator import routes
from sessions_app.simulator.clock import WallClock
from sessions_app.simulator.exchange import Reply, Request, json_reply
from sessions_app.simulator.faults import Fault, Faults
from sessions_app.simulator.server import Simulator, listen, server_of
from sessions_app.simulator.world import World

SEED = 7
LISTED = f"{routes.PREFIX}/sessions"


class Recorder(Simulator):
    """Notes by id when the request began whose answer showed that session last."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shown: dict[str, float] = {}
        self.answered: Counter[str] = Counter()
        self.closed_until = 0.0

    async def _serve(self, scope: Any, receive: Any, send: Any, request: Request) -> None:
        if request.path == "/_ages":
            reply = self._locked(lambda _sim, _request: self._ages(), request)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": reply.body})
            return
        self.answered["asked"] += 1
        await super()._serve(scope, receive, send, request)

    async def _refuse(self, scope: Any, receive: Any, send: Any, fault: Fault) -> None:
        self.answered["refused"] += 1
        self.closed_until = time.time() + float(fault.retry_after)
        await super()._refuse(scope, receive, send, fault)

    async def _answer(self, request: Request) -> Reply:
        now = time.time()
        reply = await super()._answer(request)
        if reply.status == 200 and request.method == "GET" and request.path.startswith(LISTED):
            told = msgspec.json.decode(reply.body)
            for one in told.get("sessions", [told]):
                self.shown[one["id"]] = now
        return reply

    def _ages(self) -> Reply:
        """One born a moment ago that nobody could have read yet is as old as itself."""
        now = time.time()
        found = [
            (
                str(care_of(one.status)),
                one.id,
                now - self.shown.get(one.id, one.created_ms / 1000),
                one.id in self.shown,
            )
            for one in self.world.live_sessions()
        ]
        told = {
            "ages": found,
            "answered": dict(self.answered),
            "closed_for": self.closed_until - now,
            "listed": len(self.world.order),
        }
        return json_reply(told)


def _lengthen(world: World, past: int) -> None:
    world.size += past  # it forgets its oldest ones beyond some multiple of that
    first, patterns = world.order[0][0], [one for one in world.sessions.values() if not one.live]
    for number in range(past):
        moment, uuid = first - 60_000 * (number + 1), str(UUID(int=number + 1, version=4))
        copied = patterns[number % len(patterns)]
        world.sessions[uuid] = msgspec.structs.replace(copied, id=uuid, created_ms=moment)
        world.order.append((moment, uuid))
    world.order.sort()


def main(sessions: int, past: int) -> None:
    """`past`: so many ended ones more, older than all others."""
    clock = WallClock()
    world = World.begun(SEED, sessions, 1.0, clock.now_ms())
    _lengthen(world, past)
    recorder = Recorder(world, clock, "bu_simulator", Faults((), SEED))
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    server_of(recorder).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
