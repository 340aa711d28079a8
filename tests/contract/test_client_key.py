"""Where the key goes, and where it does not; over real sockets."""

import pytest

from sessions_app.upstream import errors
from sessions_app.upstream.client import Client
from tests.support.evil import answer, evil_server
from tests.support.failing import ID, KEY, fails, saying, stop
from tests.support.replies import raw_session


def test_a_redirect_is_not_followed_and_the_key_stays() -> None:
    with evil_server(saying(answer(b"{}"))) as elsewhere:
        location = f"{elsewhere.base_url}/api"
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            fails(saying(answer(b"", status=status, location=location)), stop, errors.BadReply)
        assert elsewhere.requests == []


def test_proxy_variables_of_the_environment_are_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        evil_server(saying(answer(raw_session()))) as proxy,
        evil_server(saying(answer(raw_session()))) as vendor,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        assert Client(vendor.base_url, KEY).session(ID).session.uuid == ID
        assert proxy.requests == []


def test_a_proxy_that_is_set_is_used() -> None:
    with evil_server(saying(answer(raw_session()))) as proxy:
        assert Client("http://vendor.invalid/api/v3", KEY, proxy.base_url).session(ID).session.uuid == ID
        assert proxy.requests[0].startswith(b"GET http://vendor.invalid/api/v3/sessions/")


def test_cookies_are_not_carried_over() -> None:
    with evil_server(saying(answer(raw_session(), set_cookie="a=1; Path=/"))) as evil:
        client = Client(evil.base_url, KEY)
        client.session(ID)
        client.session(ID)
        assert b"cookie" not in evil.requests[1].lower()


def test_a_message_id_cannot_leave_its_parameter() -> None:
    body = b'{"messages":[],"hasMore":false}'
    with evil_server(saying(answer(body))) as evil:
        Client(evil.base_url, KEY).messages(ID, after="x&limit=1/../#?")
        assert evil.requests[0].split(b" ")[1].endswith(b"?limit=100&after=x%26limit%3D1%2F..%2F%23%3F")
