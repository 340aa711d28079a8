"""A client against a server that misbehaves: what it is asked, and the error that comes of it."""

from collections.abc import Callable
from uuid import UUID

import pytest

from sessions_app.types import Strategy
from sessions_app.upstream import errors
from sessions_app.upstream.client import Client
from tests.support.evil import Script, evil_server
from tests.support.replies import UUID_TEXT

ID = UUID(UUID_TEXT)
KEY = "bu_key_for_nobody_else"


def saying(data: bytes) -> Script:
    return lambda connection, request: connection.sendall(data)


def fails(
    script: Script, call: Callable[[Client], object], kind: type[errors.UpstreamError]
) -> errors.UpstreamError:
    """The error of that very kind, which never repeats the key."""
    with evil_server(script) as evil:
        with pytest.raises(kind) as caught:
            call(Client(evil.base_url, KEY))
    assert caught.value.kind == kind.kind
    assert KEY not in str(caught.value)
    return caught.value


def read(client: Client) -> object:
    return client.session_page(1)


def stop(client: Client) -> object:
    return client.stop(ID, Strategy.TASK, deadline_s=1.0)
