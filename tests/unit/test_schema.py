"""One reply becomes one session: on the contract exactly, off the contract as well as can be."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from sessions_app.types import Oddity
from sessions_app.upstream.exact import read_exact
from sessions_app.upstream.schema import Unreadable, digest_of, read_session
from sessions_app.upstream.tolerant import read_tolerantly
from tests.support.replies import LIVE_URL, RECORDING_URL, SHOT_URL, UUID_TEXT, raw_session, with_field

MONEY = ("maxCostUsd", "llmCostUsd", "proxyCostUsd", "browserCostUsd", "totalCostUsd")


def odd_fields(raw: bytes) -> list[str]:
    return [oddity.field for oddity in read_session(raw).oddities]


def test_a_whole_reply() -> None:
    seen = read_session(raw_session())
    assert seen.uuid == UUID(UUID_TEXT)
    assert (seen.status, seen.model, seen.title) == ("running", "claude-sonnet-4.6", "Compare three offers")
    assert (seen.step_count, seen.tokens_in, seen.tokens_out) == (7, 1200, 340)
    assert seen.max_cost_microusd == 5_000_000
    assert (seen.llm_cost_microusd, seen.proxy_cost_microusd) == (123_456, 0)
    assert (seen.browser_cost_microusd, seen.total_cost_microusd) == (20_000, 143_456)
    assert seen.proxy_used_bytes == 1_500_000
    assert seen.created_at == datetime(2026, 6, 9, 10, 0, 0, 123_000, UTC)
    assert (seen.live_url, seen.screenshot_url) == (LIVE_URL, SHOT_URL)
    assert seen.oddities == ()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"liveUrl": None, "screenshotUrl": None, "status": "stopped"},
        {"output": 'says "quotes" and \\ and ünï', "title": '"screenshotUrl":"no"'},
        {"profileId": None, "maxCostUsd": None, "isTaskSuccessful": False},
        {"createdAt": "2026-06-09T12:00:00+02:00"},
        {"thinkingLevel": "high", "browserScreenWidth": 1280, "browserScreenHeight": 800},
    ],
)
def test_the_quick_way_and_the_thorough_way_agree(changes: dict) -> None:
    raw = raw_session(**changes)
    quick, thorough = read_exact(raw, digest_of(raw)), read_tolerantly(raw, digest_of(raw))
    assert quick is not None
    assert msgspec.structs.replace(quick, raw=b"") == msgspec.structs.replace(thorough, raw=b"")
    assert json.loads(quick.raw) == json.loads(thorough.raw)
    assert quick.digest == digest_of(raw)


def test_only_the_required_fields() -> None:
    raw = (
        b'{"id":"%s","status":"idle","model":"m","createdAt":"2026-06-09T10:00:00Z","updatedAt":"2026-06-09T10:00:00Z"}'
        % UUID_TEXT.encode()
    )
    seen = read_session(raw)
    assert (seen.title, seen.step_count, seen.total_cost_microusd, seen.oddities) == (None, 0, None, ())


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("status", "hibernating", "status"),
        ("model", "claude-next-9", "model"),
        ("proxyCountryCode", "zz", "proxy_country"),
        ("title", "<script>alert(1)</script>", "title"),
    ],
)
def test_unknown_values_are_kept_as_they_are(name: str, value: str, read: str) -> None:
    seen = read_session(raw_session(**{name: value}))
    assert getattr(seen, read) == value
    assert seen.oddities == ()


@pytest.mark.parametrize("name", MONEY)
@pytest.mark.parametrize(("text", "micro"), [("+.5", 500_000), ("00.10", 100_000), ("7.", 7_000_000)])
def test_decimals_of_the_vendors_pattern(name: str, text: str, micro: int) -> None:
    seen = read_session(raw_session(**{name: text}))
    read = {"maxCostUsd": "max", "llmCostUsd": "llm", "proxyCostUsd": "proxy", "browserCostUsd": "browser"}
    assert getattr(seen, read.get(name, "total") + "_cost_microusd") == micro
    assert seen.oddities == ()


@pytest.mark.parametrize(
    "text", ["", "1e3", ".", "9" * 30, "٣.٥", "1\n", " 1", "NaN", "-", "+-1", "1.2.3", "0x1"]
)
def test_money_off_the_contract_is_unknown_and_said(text: str) -> None:
    seen = read_session(raw_session(totalCostUsd=text))
    assert seen.total_cost_microusd is None
    assert seen.oddities == (Oddity("totalCostUsd", text),)


@pytest.mark.parametrize(
    ("text", "micro"),
    [(b"1.25", 1_250_000), (b"3", 3_000_000), (b"1e-05", 10), (b"0.1234567", 123_457), (b"-0.5", -500_000),
     (b"1e30", None), (b"NaN", None), (b"1e400", None), (b"true", None), (b'["1"]', None)],
)  # fmt: skip
def test_money_as_a_number_is_read_exactly_and_said(text: bytes, micro: int | None) -> None:
    seen = read_session(with_field("totalCostUsd", text))
    assert seen.total_cost_microusd == micro
    assert [oddity.field for oddity in seen.oddities] == ["totalCostUsd"]


def test_a_negative_cost_is_stored() -> None:
    assert read_session(raw_session(totalCostUsd="-1.5")).total_cost_microusd == -1_500_000


@pytest.mark.parametrize(
    ("text", "count", "odd"),
    [(b"2147483648", 2**31, False), (b"9223372036854775807", 2**63 - 1, False),
     (b"9223372036854775808", 2**63 - 1, True), (b"9" * 5_000, 2**63 - 1, True), (b"-" + b"9" * 5_000, -(2**63), True),
     (b"-3", -3, True), (b"7.0", 7, True), (b"7.5", 0, True), (b'"7"', 7, True), (b"1e400", 0, True), (b"NaN", 0, True),
     (b"true", 0, True), (b"{}", 0, True), (b"null", 0, False)],
)  # fmt: skip
def test_counts_are_held_to_what_databases_take(text: bytes, count: int, odd: bool) -> None:
    seen = read_session(with_field("stepCount", text))
    assert seen.step_count == count
    assert bool(seen.oddities) == odd


def test_an_oddity_is_shortened() -> None:
    [oddity] = read_session(raw_session(totalCostUsd="9" * 100_000)).oddities
    assert len(oddity.raw) == 200
    assert oddity.raw.endswith("…")


@pytest.mark.parametrize(
    ("name", "text"),
    [("title", b"5"), ("isTaskSuccessful", b'"yes"'), ("profileId", b'"nobody"'), ("recordingUrls", b'"https://x"'),
     ("recordingUrls", b"[1]"), ("liveUrl", b"{}"), ("createdAt", b"1781000000"), ("updatedAt", b'"yesterday"'),
     ("model", b"null"), ("model", b"4"), ("proxyCountryCode", b"[]")],
)  # fmt: skip
def test_a_wrong_type_is_noted_and_the_session_still_read(name: str, text: bytes) -> None:
    assert odd_fields(with_field(name, text)) == [name]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00"])
def test_a_moment_that_is_none_is_unknown(text: str) -> None:
    seen = read_session(raw_session(createdAt=text))
    assert seen.created_at is None
    assert [oddity.field for oddity in seen.oddities] == ["createdAt"]


def test_moments_come_out_in_utc() -> None:
    seen = read_session(raw_session(createdAt="2026-06-09T12:00:00+02:00", updatedAt="2026-06-09T10:00:00"))
    assert seen.created_at == seen.updated_at == datetime(2026, 6, 9, 10, tzinfo=UTC)
    assert seen.created_at and seen.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"null", "not an object"), (b"[]", "not an object"), (b"", "not JSON"), (b"{", "not JSON"),
     (raw_session(id=None), "id is missing"), (raw_session(id="7"), "no UUID: 7"), (raw_session(id=7), "no UUID: 7"),
     (raw_session(status=None), "status is missing"), (raw_session(status=""), "status is missing"),
     (raw_session(status=5), "status is no text: 5")],
)  # fmt: skip
def test_what_cannot_be_read_says_why(raw: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read_session(raw)


def test_text_comes_without_what_databases_refuse() -> None:
    seen = read_session(with_field("title", rb'"a\u0000b\ud800c"'))
    assert seen.title == "a\ufffdb\ufffdc"
    assert read_session(with_field("title", b'"a\xffb"')).title == "a\ufffdb"
    assert read_session(with_field("title", b'"a\x00b"')).title == "a\ufffdb"
    assert read_session(with_field("title", rb'"\ud83d\ude00"')).title == "\U0001f600"


def test_a_nest_too_deep_for_the_parser() -> None:
    seen = read_session(with_field("output", b"[" * 200_000 + b"]" * 200_000))
    assert seen.status == "running"
    assert "nested too deeply" in seen.raw.decode()
    assert json.loads(seen.raw)["title"] == "Compare three offers"


def test_recordings() -> None:
    assert read_session(raw_session(recordingUrls=[RECORDING_URL])).recording_urls == (RECORDING_URL,)
    assert read_session(raw_session(recordingUrls=None)).recording_urls == ()
