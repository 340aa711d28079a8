"""What a live view comes to in a frame: its host's headers and status, asked over real HTTP."""

import time

import pytest

from sessions_app.simulator.testing import RunningSimulator, running_simulator
from sessions_app.upstream import liveview
from sessions_app.upstream.framing import refused_by
from sessions_app.upstream.liveview import UNKNOWN, Allowed, Look
from sessions_app.upstream.urls import parse

VIEW, PAGE = parse("https://live.browser-use.com/v/abc"), parse("https://floor.example")
NOWHERE_ELSE = Allowed(("https://live.browser-use.com",), loopback=False)
LOOPBACK = NOWHERE_ELSE._replace(loopback=True)


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ([], ""),
        (["DENY"], "X-Frame-Options: DENY"),
        (["deny"], "X-Frame-Options: DENY"),
        (["SAMEORIGIN"], "X-Frame-Options: SAMEORIGIN"),
        (["sameorigin", "SameOrigin"], "X-Frame-Options: SAMEORIGIN"),
        (["SAMEORIGIN, ALLOWALL"], "X-Frame-Options: DENY"),  # contradicts itself
        (["ALLOWALL"], ""),
        (["ALLOW-FROM https://else.example"], ""),  # no browser knows it any more
        ([""], ""),
    ],
)
def test_x_frame_options(options, refused):
    assert refused_by([("X-Frame-Options", one) for one in options], VIEW, PAGE) == refused


def test_its_own_origin_may_frame_what_is_for_that_only():
    assert (
        refused_by([("x-frame-options", "SAMEORIGIN")], VIEW, parse("https://live.browser-use.com/x")) == ""
    )


@pytest.mark.parametrize(
    ("policy", "is_refused"),
    [
        ("default-src 'none'", False),
        ("frame-ancestors 'none'", True),
        ("frame-ancestors", True),
        ("frame-ancestors *", False),
        ("frame-ancestors 'self'", True),
        ("frame-ancestors https://floor.example", False),
        ("FRAME-ANCESTORS HTTPS://FLOOR.EXAMPLE", False),
        ("frame-ancestors http://floor.example", False),  # https is at least as good
        ("frame-ancestors http://floor.example:80", False),
        ("frame-ancestors https://floor.example:8443", True),
        ("frame-ancestors https://floor.example:*", False),
        ("frame-ancestors https://floor.example/some/path", False),
        ("frame-ancestors floor.example", False),
        ("frame-ancestors *.example", False),
        ("frame-ancestors *.floor.example", True),
        ("frame-ancestors https:", False),
        ("frame-ancestors wss: data:", True),
        ("frame-ancestors https://a.example https://floor.example", False),
        (
            "default-src 'self'; frame-ancestors https://a.example; frame-ancestors *",
            True,
        ),  # the first counts
        ("frame-ancestors *, frame-ancestors 'none'", True),  # all policies must agree
    ],
)
def test_frame_ancestors(policy, is_refused):
    said = refused_by([("Content-Security-Policy", policy)], VIEW, PAGE)
    assert said == ("Content-Security-Policy: frame-ancestors" if is_refused else "")


def test_a_page_without_tls_is_not_one_with_it():
    page = parse("http://floor.example:8000")
    assert refused_by([("content-security-policy", "frame-ancestors https://floor.example:8000")], VIEW, page)
    assert not refused_by(
        [("content-security-policy", "frame-ancestors http://floor.example:8000")], VIEW, page
    )


def test_where_ancestors_are_named_x_frame_options_counts_for_nothing():
    headers = [("X-Frame-Options", "DENY"), ("Content-Security-Policy", "frame-ancestors *")]
    assert refused_by(headers, VIEW, PAGE) == ""


@pytest.fixture(scope="module")
def vendor():
    with running_simulator(sessions=0) as running:
        yield running


def seen(vendor: RunningSimulator, *faults, allowed: Allowed = LOOPBACK) -> Look:
    vendor.simulator.faults.set(*({"path": "/live", "kind": "canned", "status": 200} | one for one in faults))
    return liveview.look(address(vendor), PAGE, allowed)


def address(vendor: RunningSimulator, path: str = "/live/abc") -> str:
    return vendor.base_url.removesuffix("/api/v3") + path


@pytest.mark.parametrize(
    ("fault", "look"),
    [
        ({}, Look("framed")),
        ({"headers": {"X-Frame-Options": "DENY"}}, Look("blocked", "X-Frame-Options: DENY")),
        (
            {"headers": {"Content-Security-Policy": "frame-ancestors 'none'"}},
            Look("blocked", "Content-Security-Policy: frame-ancestors"),
        ),
        ({"status": 404}, Look("dead", "404")),
        ({"status": 410, "headers": {"X-Frame-Options": "DENY"}}, Look("dead", "410")),
        ({"status": 502}, Look("dead", "502")),
        ({"status": 401}, UNKNOWN),  # perhaps of us alone
        ({"status": 403}, UNKNOWN),
        ({"status": 429}, UNKNOWN),
        ({"kind": "drop"}, UNKNOWN),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example/"}}, UNKNOWN),
        ({"status": 302, "headers": {"Location": "javascript:alert(1)"}}, UNKNOWN),
        ({"status": 302, "headers": {"Location": "/live/abc"}}, UNKNOWN),  # round and round
    ],
)
def test_what_comes_is_judged(vendor, fault, look):
    assert seen(vendor, fault) == look


def test_a_redirect_to_where_views_may_come_from_is_followed(vendor):
    there = {"path": "/live/there", "headers": {"X-Frame-Options": "DENY"}}
    hop = {"path": "/live/abc", "status": 307, "headers": {"Location": "/live/there"}}
    assert seen(vendor, hop, there) == Look("blocked", "X-Frame-Options: DENY")


def test_nothing_is_asked_where_views_may_not_come_from(vendor):
    vendor.simulator.requests.clear()
    assert seen(vendor, {}, allowed=NOWHERE_ELSE) == UNKNOWN
    assert not vendor.simulator.requests


def test_who_takes_long_is_left_to_the_browser(vendor, monkeypatch):
    monkeypatch.setattr(liveview, "DEADLINE_S", 0.3)
    began = time.monotonic()
    assert seen(vendor, {"kind": "slow", "seconds": 5}) == UNKNOWN
    assert time.monotonic() - began < 3
