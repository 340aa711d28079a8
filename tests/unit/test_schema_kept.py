"""What is stored of a reply: small, valid, and no key to anything."""

import json
from hashlib import sha256

import pytest

from sessions_app.upstream.kept import LARGEST_KEPT, excerpt
from sessions_app.upstream.schema import read_session
from tests.support.replies import LIVE_URL, RECORDING_URL, SHOT_URL, raw_session, session, with_field


def kept(raw: bytes) -> dict:
    stored = read_session(raw).raw
    assert len(stored) <= LARGEST_KEPT
    return json.loads(stored)


def test_all_but_the_addresses_is_kept() -> None:
    reply = kept(raw_session(recordingUrls=[RECORDING_URL], sandboxRegion="eu"))
    cut = {"liveUrl": "(not kept)", "screenshotUrl": "(not kept)", "recordingUrls": ["(not kept)"]}
    assert reply == session(sandboxRegion="eu") | cut


def test_null_stays_null() -> None:
    reply = kept(raw_session(liveUrl=None, screenshotUrl=None))
    assert (reply["liveUrl"], reply["screenshotUrl"], reply["recordingUrls"]) == (None, None, [])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"recordingUrls": [RECORDING_URL]},
        {"title": f"see {LIVE_URL}"},
        {"output": {"liveUrl": LIVE_URL, "note": f"live at {LIVE_URL}!"}},
        {"cdpUrl": "wss://cdp.example/devtools/browser/secret"},
        {"browser": {"cdpUrl": "wss://cdp.example/secret", "size": 3}},
        {"newThing": f"{SHOT_URL}&again"},
        {"apiKey": "bu_secret", "accessToken": "secret"},
        {"liveUrl": "javascript:secret", "screenshotUrl": "data:text/html,secret"},
    ],
)
def test_no_credential_is_kept_wherever_it_stands(changes: dict) -> None:
    stored = read_session(raw_session(**changes)).raw
    assert b"secret" not in stored
    assert b"X-Amz-Signature" not in stored


def test_a_live_url_with_escaped_slashes_is_cut_too() -> None:
    stored = read_session(with_field("liveUrl", rb'"https:\/\/live.browser-use.com\/s?token=secret"')).raw
    assert b"secret" not in stored


def test_a_live_url_given_twice_is_cut_twice() -> None:
    stored = read_session(
        raw_session().replace(b'"profileId"', b'"liveUrl":"https://x.example/?t=secret","profileId"')
    ).raw
    assert b"secret" not in stored


def test_an_oddity_never_repeats_a_credential() -> None:
    seen = read_session(raw_session(liveUrl=["https://live.browser-use.com/?token=secret"]))
    assert "secret" not in repr(seen.oddities)
    assert b"secret" not in seen.raw


def test_addresses_in_the_tasks_own_output_stay() -> None:
    output = {"offers": ["https://shop.example/?q=1"], "websiteUrl": "https://shop.example/"}
    assert kept(raw_session(output=output))["output"] == output


def test_a_huge_output_gives_way_to_its_size_and_hash() -> None:
    text = '"' + "x" * 2_000_000 + '"'
    reply = kept(with_field("output", text.encode()))
    assert reply["output"] == {
        "(not kept)": "too large", "bytes": len(text), "sha256": sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    assert reply["title"] == "Compare three offers"


def test_a_large_field_that_is_not_the_output_gives_way_when_output_was_not_enough() -> None:
    reply = kept(raw_session(output="y" * 3_000, title="z" * 500_000))
    assert reply["title"]["bytes"] == 500_002
    assert reply["status"] == "running"


def test_a_reply_of_countless_small_fields() -> None:
    reply = kept(raw_session(**{f"field{number}": "v" * 20 for number in range(20_000)}))
    assert "20,0" in reply["(not kept)"]


def test_an_output_that_strict_parsers_refuse_is_kept_as_text() -> None:
    raw = with_field("output", b'{"n":' + b"9" * 5_000 + b',"m":NaN,"t":"\\ud800"}')
    assert kept(raw)["output"] == {"n": "9" * 5_000, "m": "NaN", "t": "\ufffd"}


def test_an_excerpt_of_garbage_has_no_address_in_it() -> None:
    raw = b'{"id":7,"liveUrl":"https://live.browser-use.com/?token=secret","cut":"https://x/?sig=secret'
    assert b"secret" not in excerpt(raw)
    assert b'"id":7' in excerpt(raw)
    assert len(excerpt(b"a" * 10_000)) == 2_000
