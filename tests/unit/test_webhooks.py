"""Whose webhook is it?  Signed as documented, fresh, small, and whatever a stranger may send instead."""

import hashlib
import hmac
import json
from uuid import UUID

import pytest

from sessions_app.upstream import webhooks
from sessions_app.upstream.webhooks import LARGEST, News, WebhookRefused, read

SECRET = "whsec_correct-horse"
NOW = 1_790_000_000
SESSION = UUID("3c90c3cc-0d44-4b50-8888-8dd25736052a")


def message(**fields: object) -> dict[str, object]:
    payload = {"task_id": "t", "session_id": str(SESSION), "status": "idle", "metadata": {}}
    return {"type": "agent.task.status_update", "timestamp": "2026-09-21", "payload": payload} | fields


def canonical(value: object, **how: bool) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), **how).encode()


def signed(body: bytes, at: int | str = NOW, secret: str = SECRET) -> str:
    """By the vendor's own words, written here a second time."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def refusal(*args: object, **more: object) -> WebhookRefused:
    with pytest.raises(WebhookRefused) as caught:
        read(*args, **more)
    return caught.value


def test_a_good_one_names_its_session():
    body = canonical(message())
    assert read(SECRET, str(NOW), signed(body), body, NOW) == News("agent.task.status_update", SESSION)


def test_it_may_travel_otherwise_than_it_was_signed():
    """Keys in any order, with white space: the documented form is what counts."""
    sent = json.dumps(dict(reversed(message().items())), indent=2).encode()
    assert read(SECRET, str(NOW), signed(canonical(message())), sent, NOW).session == SESSION


@pytest.mark.parametrize("escaped", [True, False], ids=["as in Python", "as in TypeScript"])
def test_both_of_the_vendors_spellings_of_foreign_letters(escaped):
    told = message(metadata={"Kunde": "Müller 😀"})
    sent = json.dumps(told, indent=1, ensure_ascii=not escaped).encode()
    assert read(SECRET, str(NOW), signed(canonical(told, ensure_ascii=escaped)), sent, NOW).session == SESSION


@pytest.mark.parametrize("off_s", [0, 299, -299, -300])
def test_clocks_may_differ_by_five_minutes(off_s):
    body = canonical(message())
    at = NOW + off_s
    assert read(SECRET, str(at), signed(body, at), body, NOW).session == SESSION


@pytest.mark.parametrize(("off_s", "words"), [(-301, "301 s behind"), (301, "301 s ahead")])
def test_beyond_five_minutes_it_is_a_replay(off_s, words):
    body = canonical(message())
    at = NOW + off_s
    refused = refusal(SECRET, str(at), signed(body, at), body, NOW)
    assert refused.status == 401
    assert words in refused.words


@pytest.mark.parametrize(
    "signature",
    ["", "é" * 64, "ü", "0" * 64, "f" * 63, "zz" * 32, "\ud800", "sha256=" + "0" * 64, "٣" * 64],
)
def test_a_signature_that_is_none(signature):
    body = canonical(message())
    assert refusal(SECRET, str(NOW), signature, body, NOW).status == 401


@pytest.mark.parametrize("timestamp", ["", "soon", "1.5", "-1", "+1790000000", "9" * 40, "١٧٩", f"{NOW}\n"])
def test_a_timestamp_that_is_none(timestamp):
    body = canonical(message())
    assert refusal(SECRET, timestamp, signed(body, timestamp), body, NOW).status == 401


def test_every_byte_counts():
    body = canonical(message())
    good = signed(body)
    assert refusal(SECRET, str(NOW), good, body.replace(b"idle", b"idlf"), NOW).status == 401
    assert refusal(SECRET, str(NOW - 1), good, body, NOW).status == 401
    assert refusal("another secret", str(NOW), good, body, NOW).status == 401


def test_without_a_secret_nobody_is_believed():
    body = canonical(message())
    refused = refusal("", str(NOW), signed(body, secret=""), body, NOW)
    assert refused.status == 401
    assert "No webhook secret" in refused.words


def test_too_large_is_said_before_anything_is_parsed():
    body = b'"' + b"x" * LARGEST + b'"'
    assert refusal(SECRET, str(NOW), signed(body), body, NOW).status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe{}", b"[" * 200_000, b'{"a":' * 40_000, b"9" * 5_000,
        b'{"a": NaN}', b"\xef\xbb\xbf{}", b"{}\x00",
    ],
    ids=range(12),
)  # fmt: skip
def test_signed_well_and_no_json_object(body):
    """Who knows the secret may still send nonsense: no crash, and no news."""
    assert refusal(SECRET, str(NOW), signed(body), body, NOW).status == 400


@pytest.mark.parametrize(
    "about",
    [None, 7, [], {}, "", "not-a-uuid", "٣c90c3cc-0d44-4b50-8888-8dd25736052a", "3c90c3cc" * 10],
)
def test_about_no_session(about):
    body = canonical(message(payload={"session_id": about}))
    assert read(SECRET, str(NOW), signed(body), body, NOW).session is None


def test_a_test_and_news_of_tomorrow():
    for kind, expected in [("test", "test"), ("agent.session.born", "agent.session.born"), (7, "")]:
        body = canonical(message(type=kind, payload={}))
        assert read(SECRET, str(NOW), signed(body), body, NOW) == News(expected, None)


def test_a_kind_that_no_database_would_take():
    body = canonical(message(type="a\x00b\ud800" + "x" * 500))
    kind = read(SECRET, str(NOW), signed(body), body, NOW).kind
    assert len(kind) == 60
    assert kind.startswith("a\ufffdb\ufffd")


def test_our_own_signature_is_the_documented_one():
    assert webhooks.sign(SECRET, str(NOW), b"{}") == signed(b"{}")
