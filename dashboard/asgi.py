"""The web process: Django, behind a switch for what must not cost a Django request."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

django = get_asgi_application()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI: the server's lifespan is answered here, everything else is Django's."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await django(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
