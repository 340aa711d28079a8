"""Fetching a picture: only what is a picture, only from where it may be, only so much and so long."""

import time
from collections.abc import Iterator

import pytest

from sessions_app.screenshots import capture
from sessions_app.screenshots.errors import BadPicture
from tests.support.picture_host import PictureHost, picture_host


@pytest.fixture(scope="module")
def host() -> Iterator[PictureHost]:
    with picture_host() as running:
        yield running


def test_a_picture_comes_as_it_is(host):
    assert capture.fetch(host.url("/good.png"), allow_loopback=True) == host.files["/good.png"][1]
    assert "watchfloor" in host.heads[-1] and "cookie" not in host.heads[-1].lower()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/html", "not a picture"),
        ("/expired", "answered 403"),
        ("/elsewhere", "answered 302"),
        ("/huge", "larger than 5 MB"),
        ("/endless", "larger than 5 MB"),
        ("/gzip", "larger than 5 MB"),
        ("/cut-short", "broke off"),
        ("/nothing-at-all", "broke off"),
    ],
)
def test_whatever_is_wrong_is_said_in_words(host, path, words):
    with pytest.raises(BadPicture, match=words) as caught:
        capture.fetch(host.url(path), allow_loopback=True)
    assert "secret" not in str(caught.value) and "127.0.0.1" not in str(caught.value)


def test_a_redirect_is_not_followed(host):
    host.asked.clear()
    with pytest.raises(BadPicture):
        capture.fetch(host.url("/elsewhere"), allow_loopback=True)
    assert host.asked == ["/elsewhere"]


@pytest.mark.parametrize("path", ["/drip", "/drip-head"])
def test_the_wall_clock_ends_what_drips(host, path):
    began = time.monotonic()
    with pytest.raises(BadPicture, match=r"within 0\.6 s"):
        capture.fetch(host.url(path), allow_loopback=True, deadline_s=0.6)
    assert time.monotonic() - began < 2


def test_loopback_only_where_it_is_allowed(host):
    host.asked.clear()
    with pytest.raises(BadPicture, match="may be followed"):
        capture.fetch(host.url("/good.png"), allow_loopback=False)
    assert host.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "https://example.com:8443/a.png",
        "https://user:pass@example.com/a.png",
        "https://10.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/a.png",
        "https://0x7f.1/a.png",
        "https://[::1]/a.png",
        "https://evil.example\\@s3.amazonaws.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "",
    ],
)
def test_addresses_that_nobody_should_follow(url):
    with pytest.raises(BadPicture):
        capture.fetch(url, allow_loopback=False)


def test_a_name_that_points_inside_is_refused_after_it_was_resolved(host, monkeypatch):
    """The one thing that is not real here is the name server's answer."""

    def inside(*_args, **_kwargs):
        return [(2, 1, 6, "", ("10.1.2.3", 443)), (10, 1, 6, "", ("::ffff:127.0.0.1", 443, 0, 0))]

    monkeypatch.setattr("socket.getaddrinfo", inside)
    with pytest.raises(BadPicture, match="not on the public internet"):
        capture.fetch("https://pictures.example/a.png", allow_loopback=False)


def test_what_was_checked_is_what_is_connected_to(host, monkeypatch):
    """`localhost` is resolved once; the connection goes to that very address, with the name in `Host`."""
    asked = []

    def resolved(name, port, *_args, **_kwargs):
        asked.append(name)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "127.0.0.9", port))]

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    url = host.url("/good.png").replace("127.0.0.1", "localhost")
    assert capture.fetch(url, allow_loopback=True) == host.files["/good.png"][1]
    assert "Host: localhost:" in host.heads[-1]
    assert [name for name in asked if name == "localhost"] == ["localhost"]


def test_no_proxy_of_the_environments(host, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert capture.fetch(host.url("/good.jpg"), allow_loopback=True)


def test_a_bad_one_spoils_only_its_own_place(host):
    results = capture.fetch_many(
        [host.url("/good.png"), host.url("/html"), "javascript:x", host.url("/good.jpg")], allow_loopback=True
    )
    assert [type(result) for result in results] == [bytes, BadPicture, BadPicture, bytes]
