"""The stand-in as a plain ASGI application, and `serve`, which runs it."""

import asyncio
import socket
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import uvicorn

from . import control, refusing, rooms, routes, state, transport
from .checks import Refused
from .clock import ManualClock, WallClock
from .exchange import Reply, Request, refusal
from .faults import REFUSING, SENDING, Fault, Faults, parse
from .webhooks import Webhooks
from .wire import Visit
from .world import World

TICK_S = 0.25
SAVE_S = 5.0


class Simulator:
    """World, faults and the log of requests behind one ASGI callable. `lock` guards the world: tests reach in from other threads."""

    def __init__(
        self,
        world: World,
        clock: WallClock | ManualClock,
        key: str,
        faults: Faults,
        state_file: Path | None = None,
        webhooks: Webhooks | None = None,
    ) -> None:
        self.world, self.clock, self.key, self.faults, self.state_file = world, clock, key, faults, state_file
        self.webhooks = webhooks or Webhooks()
        world.on_status = self.webhooks.note
        self.requests: deque[dict[str, Any]] = deque(maxlen=1000)
        self.lock = threading.RLock()
        self._nonce = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = await transport.read(scope, receive)
        if request.path.startswith(control.PREFIX):
            await transport.send_reply(send, self._locked(control.answer, request))
        else:
            await self._serve(scope, receive, send, request)

    async def _serve(self, scope: dict[str, Any], receive: Any, send: Any, request: Request) -> None:
        """Answer, or go wrong in the way that the active faults say."""
        entry = self._log(request)
        if slow := self.strikes("slow", request):
            await asyncio.sleep(slow.seconds)
        if fault := self._take(REFUSING, request):
            await self._refuse(scope, receive, send, fault)
            return
        reply = await self._answer(request)
        entry["status"] = reply.status
        if request.path.endswith("/stop") and self.strikes("stop_drops_after_effect", request):
            await transport.hang_up(scope, receive)
        elif fault := self._take(SENDING, request):
            await transport.send_wrong(scope, receive, send, reply, fault)
        else:
            await transport.send_reply(send, reply)

    async def _answer(self, request: Request) -> Reply:
        if request.path.startswith(routes.PREFIX):
            answered: Reply = self._locked(routes.answer, request)
            return answered
        found = self._locked(rooms.answer, request)
        # Pictures are drawn outside the loop and the lock, so that a wall of them does not hold up the API.
        return found if isinstance(found, Reply) else await asyncio.to_thread(found)

    def _locked(self, answer: Any, request: Request) -> Any:
        with self.lock:
            self.world.advance_to(self.clock.now_ms())
            try:
                return answer(self, request)
            except Refused as refused:
                return refusal(refused.status, refused.detail)

    async def _refuse(self, scope: dict[str, Any], receive: Any, send: Any, fault: Fault) -> None:
        if fault.kind == "drop":
            await transport.hang_up(scope, receive)
        elif fault.kind == "drip_headers":
            await transport.drip_headers(scope, receive, fault.seconds or 0.2)
        else:
            await transport.send_reply(send, refusing.reply_for(fault, self.faults, self.clock.now_ms()))

    def strikes(self, kind: str, request: Request) -> Fault | None:
        return self._take((kind,), request)

    def _take(self, kinds: tuple[str, ...], request: Request) -> Fault | None:
        return self.faults.take(kinds, request.method, request.path) if self.faults.active else None

    def visit(self, request: Request) -> Visit:
        self._nonce += 1
        return Visit(request.base, self.clock.now_ms(), self._nonce)

    def _log(self, request: Request) -> dict[str, Any]:
        entry = {
            "method": request.method, "path": request.path, "query": request.query_string,
            "body": request.body[:10_000].decode(errors="replace"), "time": self.clock.now_ms() / 1000, "status": None,
        }  # fmt: skip
        self.requests.append(entry)
        return entry

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                chores = (self._tick(), self._keep(), self.webhooks.send_forever())
                self._tasks = [asyncio.create_task(chore) for chore in chores]
                await send({"type": "lifespan.startup.complete"})
            else:
                for task in self._tasks:
                    task.cancel()
                self.save()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _tick(self) -> None:
        """Small portions often, so that no request finds a backlog of events."""
        while True:
            with self.lock:
                self.world.advance_to(self.clock.now_ms())
            await asyncio.sleep(TICK_S)

    async def _keep(self) -> None:
        pause_s = SAVE_S
        while self.state_file is not None:
            await asyncio.sleep(pause_s)
            started = time.monotonic()
            with self.lock:
                saved = state.encode(self.world)
            pause_s = max(
                SAVE_S, 100 * (time.monotonic() - started)
            )  # of a large world at most 1% goes into saving
            await asyncio.to_thread(state.write, self.state_file, saved)

    def save(self) -> None:
        if self.state_file is not None:
            with self.lock:
                self.world.advance_to(self.clock.now_ms())
                state.write(self.state_file, state.encode(self.world))


def serve(
    *, host: str = "127.0.0.1", port: int = 8787, sessions: int = 60, seed: int = 7, speed: float = 1.0,
    key: str = "bu_simulator", state_file: str | None = None, faults: str = "",
    webhook_url: str = "", webhook_secret: str = "",
) -> int:  # fmt: skip
    """Run until a signal comes; the exit code says whether it could start."""
    try:
        listener, active = listen(host, port), parse(faults)
    except (OSError, ValueError) as error:
        print(f"simulator: {_reason(error, host, port)}", file=sys.stderr, flush=True)
        return 1
    path, clock = Path(state_file) if state_file else None, WallClock()
    world = state.open_world(path, seed=seed, sessions=sessions, speed=speed, now=clock.now_ms())
    webhooks = Webhooks(webhook_url, webhook_secret)
    simulator = Simulator(world, clock, key, Faults(active, seed), path, webhooks)
    at = f"http://{host}:{listener.getsockname()[1]}{routes.PREFIX}"
    print(
        f"Simulator of Browser Use Cloud: {at}  key={key}  sessions={sessions}  seed={world.seed}  speed={speed:g}",
        flush=True,
    )
    try:
        server_of(simulator).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that a taken port is known before anything else is done."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def server_of(simulator: Simulator) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            simulator, http=transport.Protocol, ws="none", lifespan="on", log_level="critical", access_log=False,
            timeout_keep_alive=75, timeout_graceful_shutdown=2, server_header=False,
        )
    )  # fmt: skip


def _reason(error: Exception, host: str, port: int) -> str:
    if isinstance(error, ValueError):
        return str(error)
    taken = "already in use" if getattr(error, "errno", 0) in (48, 98, 10048) else str(error)
    return f"cannot listen on {host}:{port}: {taken}"
