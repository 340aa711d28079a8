"""What counts as a change, told from bytes alone."""

import json

import pytest

from sessions_app.upstream.digest import digest_of
from sessions_app.upstream.schema import read_session
from tests.support.replies import LIVE_URL, RECORDING_URL, raw_session, session, wire, with_field


def spaced(**changes: object) -> bytes:
    return json.dumps(session(**changes)).encode()


def backwards(**changes: object) -> bytes:
    return wire(dict(reversed(session(**changes).items())))


@pytest.fixture(params=[raw_session, spaced, backwards], ids=["vendor's", "spaced", "another order"])
def style(request: pytest.FixtureRequest):
    return request.param


VOLATILE = [
    {"screenshotUrl": "https://shots.example.com/other.png?X-Amz-Signature=ffff"},
    {"recordingUrls": [RECORDING_URL]},
    {"updatedAt": "2027-01-01T00:00:00Z"},
    {"liveUrl": LIVE_URL.partition("?")[0] + "?token=renewed"},
]


@pytest.mark.parametrize("changes", VOLATILE)
def test_what_is_new_at_every_fetch_is_no_change(style, changes: dict) -> None:
    assert digest_of(style(**changes)) == digest_of(style())


@pytest.mark.parametrize(
    "changes",
    [{"screenshotUrl": 'https://x.example/"quoted\\"'}, {"recordingUrls": ["https://x.example/]?a=[1"]}],
)
def test_odd_addresses_only_cost_a_reading_and_hide_nothing(style, changes: dict) -> None:
    assert digest_of(style(**changes, status="idle")) != digest_of(style(**changes))


CHANGES = [
    {"status": "idle"}, {"title": "Another"}, {"output": "done"}, {"stepCount": 8}, {"totalCostUsd": "0.143457"},
    {"screenshotUrl": None}, {"liveUrl": None}, {"liveUrl": "https://live.browser-use.com/s/other?token=x"},
    {"agentmailEmail": "a@b.example"}, {"createdAt": "2026-06-09T10:00:00.124000Z"}, {"newField": 1},
    {"lastStepSummary": 'reads "updatedAt": "now"'}, {"title": '"screenshotUrl":"https://x"'},
    {"profileId": None}, {"integrationsUsed": ["slack"]}, {"llmCostUsd": None},
]  # fmt: skip


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_everything_else_is(style, changes: dict) -> None:
    assert digest_of(style(**changes)) != digest_of(style())


@pytest.mark.parametrize("quoted", ["screenshotUrl", "updatedAt", "recordingUrls", "liveUrl"])
def test_a_title_that_looks_like_a_key_hides_nothing(style, quoted: str) -> None:
    """In JSON its quotes are escaped, so it cannot be the key."""
    one, other = (style(title=f'a","{quoted}":"{word}","x') for word in ("one", "two"))
    assert digest_of(one) != digest_of(other)
    stamp = {"updatedAt": "2027-01-01T00:00:00Z"}
    title = f'a","{quoted}":["one"],"x'
    assert digest_of(style(title=title)) == digest_of(style(title=title, **stamp))


def test_output_with_such_keys_does_not_hide_the_real_ones() -> None:
    output = {
        "screenshotUrl": "https://a.example",
        "updatedAt": "never",
        "liveUrl": "x?y",
        "recordingUrls": ["z"],
    }
    before = raw_session(output=output)
    assert digest_of(raw_session(output=output, updatedAt="2027-01-01T00:00:00Z")) == digest_of(before)
    assert digest_of(raw_session(output=output | {"updatedAt": "2027"})) != digest_of(before)


def test_it_fits_a_signed_column() -> None:
    digests = [digest_of(raw_session(stepCount=number)) for number in range(200)]
    assert all(-(2**63) <= digest < 2**63 for digest in digests)
    assert min(digests) < 0 < max(digests)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'"updatedAt":"', b'{"liveUrl":"', b'{"recordingUrls":[', b"\xff" * 50]
)
def test_any_bytes_have_one(raw: bytes) -> None:
    assert isinstance(digest_of(raw), int)


def test_the_session_carries_that_of_its_bytes() -> None:
    for raw in (raw_session(), spaced(), with_field("title", rb'"\ud800"'), with_field("stepCount", b"NaN")):
        assert read_session(raw).digest == digest_of(raw)
