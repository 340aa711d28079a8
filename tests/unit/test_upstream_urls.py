"""Which addresses of the vendor's may be framed or fetched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.upstream.urls import is_public, parse, safe_live_url, safe_picture_url

ORIGINS = ["https://live.browser-use.com", "https://live2.example:8443", "not an origin"]
GOOD_LIVE = "https://live.browser-use.com/s/1?wss=wss%3A%2F%2Fcdp.example&token=a.b-c_d~e"
TRICKS = [
    "https://evil.example\\@live.browser-use.com/", "https://live.browser-use.com\\.evil.example/",
    "https://user@live.browser-use.com/", "https://live.browser-use.com@evil.example/", "https://a:b@live.browser-use.com/",
    "javascript:alert(1)", "JavaScript:alert(1)//https://live.browser-use.com/", "data:text/html,x", "file:///etc/passwd",
    "//live.browser-use.com/", "https:live.browser-use.com", "https:/live.browser-use.com/", "https:///live.browser-use.com/",
    " https://live.browser-use.com/", "https://live.browser-use.com/\n", "https://live.browser-use.com/\x00", "ht\ttps://live.browser-use.com/",
    "https://live.browser-use.com/ x", 'https://live.browser-use.com/"onload="x', "https://live.browser-use.com/<script>",
    "https://lıve.browser-use.com/", "https://live.browser-use.com。evil.example/", "https://live.browser-use.com/ü", "https://live。browser-use.com/",
    "https://live.browser-use.com:99999/", "https://live.browser-use.com:0/", "https://live.browser-use.com:/", "https://live.browser-use.com:443x/",
    "https://live.browser-use.com:８４/", "https://-live.browser-use.com/", "https://live..browser-use.com/", "https://", "https://.", "",
    "wss://live.browser-use.com/", "https://" + "a" * 5_000 + ".example/", "https://[::1", "https://[v1.x]/", "https://1.2.3/", "https://0x7f.1/",
    "https://2130706433/", "https://127.1/", "https://017700000001/", "https://127.0.0.1.5/", "https://0x7f000001/", "https://1e3.4/",
]  # fmt: skip


def test_a_live_view_of_an_allowed_origin() -> None:
    assert safe_live_url(GOOD_LIVE, ORIGINS, False) == GOOD_LIVE
    assert safe_live_url("HTTPS://Live.Browser-Use.COM", ORIGINS, False) == "https://live.browser-use.com/"
    assert (
        safe_live_url("https://live.browser-use.com:443?x", ORIGINS, False)
        == "https://live.browser-use.com/?x"
    )
    assert safe_live_url("https://live2.example:8443/x", ORIGINS, False) == "https://live2.example:8443/x"


@pytest.mark.parametrize("url", TRICKS)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_no_trick_passes(url: str, allow_loopback: bool) -> None:
    assert safe_live_url(url, ORIGINS, allow_loopback) is None
    assert safe_picture_url(url, allow_loopback) is None


@pytest.mark.parametrize(
    "url",
    ["http://live.browser-use.com/", "https://live.browser-use.com:8443/", "https://evil.example/", "https://live2.example/",
     "https://live.browser-use.com.evil.example/", "https://xlive.browser-use.com/", "http://127.0.0.1:8787/live/1", "http://localhost/", "http://[::1]/"],
)  # fmt: skip
def test_other_origins_are_not_framed(url: str) -> None:
    assert safe_live_url(url, ORIGINS, False) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8787/live/1?token=x", "http://localhost:8787/live/1", "http://[::1]:8787/x"]
)
def test_this_machine_only_where_it_is_allowed(url: str) -> None:
    assert safe_live_url(url, ORIGINS, True) == url
    assert safe_picture_url(url, True) == url
    assert safe_picture_url(url, False) is None


@pytest.mark.parametrize(
    "url",
    ["http://shots.example/1.png", "https://shots.example:8443/1.png", "https://10.0.0.1/1.png", "https://169.254.169.254/latest/meta-data",
     "https://[fd00::1]/1.png", "https://8.8.8.8/1.png", "https://[::ffff:127.0.0.1]/1.png", "http://0.0.0.0/1.png", "http://127.0.0.2.example/1.png"],
)  # fmt: skip
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_pictures_come_from_named_hosts_over_https(url: str, allow_loopback: bool) -> None:
    assert safe_picture_url(url, allow_loopback) is None


def test_a_picture() -> None:
    url = "https://shots.s3.eu-central-1.amazonaws.com/a/1.png?X-Amz-Signature=0a1b&X-Amz-Credential=A%2F2026"
    assert safe_picture_url(url, False) == url


@pytest.mark.parametrize("ip", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::", "224.0.0.1",
     "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "255.255.255.255", "nonsense", ""],
)  # fmt: skip
def test_addresses_that_nobody_fetches_from(ip: str) -> None:
    assert not is_public(ip)


@given(
    st.text(max_size=40)
    | st.text(st.sampled_from("htps:/\\@.[]?#0x1e-a%\t"), max_size=40).map("https://".__add__)
)
def test_whatever_passes_is_put_together_anew(url: str) -> None:
    address = parse(url)
    if address is not None:
        again = parse(address.url)
        assert again == address
        assert address.url.isascii()
        assert "\\" not in address.url and "@" not in address.url.removeprefix(address.origin)[:0]
