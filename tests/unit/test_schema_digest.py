"""What counts as a change, told from bytes alone."""

import json

import pytest

from sessions_app.upstream.digest import digest_of, said_at
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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("2026-11-25T08:54:04Z", "2026-11-25 08:54:04"),
        ("2026-11-25T08:54:04.120Z", "2026-11-25 08:54:04.120"),
        ("2026-11-25T08:54:04.123456789Z", "2026-11-25 08:54:04.123456"),
        ("2026-11-25T10:54:04.5+02:00", "2026-11-25 08:54:04.500000"),
        ("2026-11-25 08:54:04Z", "2026-11-25 08:54:04"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_when_the_vendor_last_touched_it_is_told_without_decoding(said: str, told: str | None) -> None:
    assert said_at(raw_session(updatedAt=said)) == told


def test_texts_of_moments_stand_in_their_order_whatever_their_digits() -> None:
    stored = "2026-11-25 08:54:04.120000"
    same = [
        said_at(raw_session(updatedAt=f"2026-11-25T08:54:04.12{zeros}Z")) for zeros in ("", "0", "0000000")
    ]
    later = said_at(raw_session(updatedAt="2026-11-25T08:54:04.120001Z"))
    assert all(text is not None and text <= stored for text in same)
    assert later is not None and later > stored


def test_a_reply_that_does_not_say_when_tells_nothing() -> None:
    assert said_at(b'{"id":"x"}') is None
