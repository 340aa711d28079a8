"""The web process: Django, behind a switch for what must not cost a Django request."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

from dashboard.body_limit import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

django = limited(get_asgi_application())

from django.conf import settings  # noqa: E402 - models can be imported only now

from dashboard.live_wiring import house  # noqa: E402
from sessions_app.live.hub import Hub  # noqa: E402
from sessions_app.stopping import executor  # noqa: E402

STREAM = "/live/stream"

hub = Hub(house(), settings.REDIS_URL)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI: the server's lifespan is answered here, the live push is the hub's, everything else is Django's."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == STREAM:
        await hub(scope, receive, send)
    else:
        await django(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            executor.ensure_running()
        if message["type"] == "lifespan.shutdown":
            await hub.stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
