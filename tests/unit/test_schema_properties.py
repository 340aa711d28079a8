"""Whatever JSON stands in whatever field: a session, or a reason in words.  Nothing else ever comes out."""

import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions_app.types import SessionData
from sessions_app.upstream.decimals import LARGEST_MICRO, parse_micro
from sessions_app.upstream.errors import BadReply
from sessions_app.upstream.kept import LARGEST_KEPT
from sessions_app.upstream.mend import mended
from sessions_app.upstream.pages import session_page
from sessions_app.upstream.schema import Unreadable, digest_of, read_session
from tests.support.replies import session, wire

patient = settings(deadline=None, max_examples=200)  # a busy machine is no failure
NOW = datetime(2026, 6, 9, tzinfo=UTC)
FIELDS = st.sampled_from([*session(), "cdpUrl", "brandNew"])
TEXT = st.text(st.characters(codec=None), max_size=30)  # halves of surrogate pairs included
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
VENDORS_PATTERN = st.from_regex(r"\A(?![-+.]*\Z)[+-]?0{0,3}[0-9]{0,9}\.?[0-9]{0,9}\Z")


def loose(value: Any) -> bytes:
    """As a careless server writes it: NaN and all."""
    return json.dumps(value).encode()


def check(seen: SessionData, raw: bytes) -> None:
    assert seen.digest == digest_of(raw)
    assert len(seen.raw) <= LARGEST_KEPT
    msgspec.json.decode(seen.raw)
    for value in (
        seen.status,
        seen.model,
        seen.title,
        seen.last_step,
        seen.proxy_country,
        str(seen.oddities),
    ):
        assert "\x00" not in (value or "")
        (value or "").encode()
    for number in (seen.step_count, seen.tokens_in, seen.tokens_out, seen.total_cost_microusd or 0):
        assert -(2**63) <= number < 2**63


@patient
@given(st.dictionaries(FIELDS, ANY_JSON, min_size=1, max_size=5))
def test_any_json_in_any_field(changes: dict[str, Any]) -> None:
    raw = loose(session(**changes))
    try:
        check(read_session(raw), raw)
    except Unreadable as error:
        assert set(changes) & {"id", "status"}
        assert str(error)


@patient
@given(ANY_JSON)
def test_any_json_at_all(value: Any) -> None:
    try:
        read_session(loose(value))
    except Unreadable as error:
        assert str(error)


@patient
@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from('{}[]":,\\u0d8ntrue19.eE- "'), max_size=60).map(str.encode)
)
@example(b'{"id":"')
@example(b"\\")
@example(b'"\\')
def test_any_bytes_at_all(raw: bytes) -> None:
    for read in (read_session, lambda body: session_page(body, NOW, 1), mended, digest_of):
        try:
            read(raw)
        except (Unreadable, BadReply) as error:
            assert str(error)


@patient
@given(st.lists(ANY_JSON, max_size=6))
def test_a_page_of_anything_between_two_good_sessions(values: list[Any]) -> None:
    body = loose({"sessions": [session(), *values, session(status="idle")], "total": 2})
    read = session_page(body, NOW, 1)
    assert len(read.items) + len(read.set_aside) == len(values) + 2
    assert read_session(read.items[0].raw).status == "running"
    assert read_session(read.items[-1].raw).status == "idle"


@patient
@given(st.dictionaries(FIELDS, ANY_JSON, max_size=3))
def test_what_needs_no_mending_is_left_alone(changes: dict[str, Any]) -> None:
    try:
        sound = wire(session(**changes))
        msgspec.json.decode(sound)
    except (ValueError, msgspec.MsgspecError):
        return
    assert mended(sound) == sound


@patient
@given(ANY_JSON)
def test_mending_once_is_enough(value: Any) -> None:
    once = mended(loose(value))
    msgspec.json.decode(once)
    assert mended(once) == once


@patient
@given(VENDORS_PATTERN)
def test_money_of_the_vendors_pattern_is_exact(text: str) -> None:
    exact = (Decimal(text) * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP)
    assert parse_micro(text) == (exact if abs(exact) <= LARGEST_MICRO else None)


@patient
@given(st.integers(-LARGEST_MICRO, LARGEST_MICRO))
def test_money_makes_the_round_trip(micro: int) -> None:
    text = f"{Decimal(micro) / 1_000_000:f}"
    assert parse_micro(text) == micro
    assert read_session(wire(session(totalCostUsd=text))).total_cost_microusd == micro


@patient
@given(st.text(max_size=12))
def test_money_off_the_pattern_is_none(text: str) -> None:
    if parse_micro(text) is not None:
        assert set(text) <= set("+-.0123456789")
        Decimal(text)
