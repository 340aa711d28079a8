"""The ranges and choices of the history's panel, the chips that take them off, and what is said of nonsense."""

import html as markup
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from sessions_app.models import UpstreamName
from sessions_app.queries import rows
from sessions_app.rules.spans import in_words, seconds_of
from tests.app.test_sessions_page import ids, page, shown, sign_in
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def lea(client):
    rows.forget()
    return sign_in(client, "lea", "lead")


def chips(html: str) -> dict[str, tuple[str, str]]:
    """Parameter → (words, address without it)."""
    found = re.findall(r'<a class="chip" href="([^"]*)" data-chip="(\w+)">(.*?)</a>', html, re.DOTALL)
    said = {name: (re.sub(r"<[^>]+>", " ", words), markup.unescape(to)) for to, name, words in found}
    return {
        name: (" ".join(words.replace("Take off the filter", "").split()), to)
        for name, (words, to) in said.items()
    }


def test_ranges_of_steps_costs_and_durations_include_both_ends(client):
    day = datetime(2026, 11, 10, 12, tzinfo=UTC)
    quick = make_session(
        status="stopped", created_at=day, ended_at=day + timedelta(seconds=90), step_count=3, total_cost_microusd=100_000
    )  # fmt: skip
    slow = make_session(
        status="stopped", created_at=day - timedelta(hours=1), ended_at=day + timedelta(hours=1), step_count=300,
        total_cost_microusd=5_000_000,
    )  # fmt: skip
    running = make_session(
        created_at=timezone.now() - timedelta(minutes=10), step_count=50, total_cost_microusd=None
    )
    for query, expected in {
        "?steps_from=50": [running, slow],
        "?steps_to=50": [running, quick],
        "?steps_from=3&steps_to=3": [quick],
        "?steps_from=1,0": [running, slow],
        "?least=0.1&most=0.10": [quick],
        "?most=4.99": [quick],
        "?took_from=90+s&took_to=1.5": [quick],
        "?took_from=5": [running, slow],
        "?took_from=2h": [slow],
        "?took_to=1+h+59+m": [running, quick],
    }.items():
        assert shown(page(client, query)) == ids(*expected), query


def test_proxies_and_names_are_chosen_by_what_people_call_them(client):
    account = make_account()
    plain = make_session(account=account, proxy_country="")
    german = make_session(account=account, proxy_country="de", profile_id=uuid4(), workspace_id=uuid4())
    for kind, uuid, name in (
        ("profile", german.profile_id, "Ana & Co"),
        ("workspace", german.workspace_id, "Shop"),
    ):
        UpstreamName.objects.create(account=account, kind=kind, uuid=uuid, name=name)
    assert shown(page(client, "?proxy=de")) == ids(german)
    assert shown(page(client, "?proxy=none")) == ids(plain)
    html = page(client, f"?profile={german.profile_id}&workspace={german.workspace_id}")
    assert shown(html) == ids(german)
    assert f'<option value="{german.profile_id}" selected>Ana &amp; Co</option>' in html
    assert markup.unescape(chips(html)["profile"][0]) == "Profile Ana & Co"
    unknown = uuid4()
    assert chips(page(client, f"?profile={unknown}"))["profile"][0] == f"Profile {str(unknown)[:8]}"


def test_each_chip_takes_off_just_its_filter(client):
    make_session()
    query = "?status=running&since=2026-11-01&until=2026-11-30&steps_from=2&took_to=90+s&least=1&q=part&sort=dearest&after=x"
    found = chips(page(client, query))
    assert {name: words for name, (words, _) in found.items()} == {
        "status": "Status Running",
        "since": "Started 2026-11-01 – 2026-11-30",
        "steps_from": "Steps from 2",
        "took_from": "Took up to 90 s",
        "least": "Cost from $1.00",
        "q": "Search “part”",
    }
    assert found["since"][1] == "?status=running&steps_from=2&took_to=90+s&least=1&q=part&sort=dearest"
    left = chips(page(client, found["status"][1]))
    assert set(left) == set(found) - {"status"}


def test_what_cannot_be_read_is_said_in_words_and_stays_in_its_field(client):
    made = make_session()
    html = page(client, "?least=cheap&steps_to=many&took_from=long&since=2026-13-45&status=x&profile=<b>")
    assert shown(html) == ids(made)
    for words in (
        "“cheap” is no amount of dollars.",
        "“many” is no number of steps.",
        "“long” is no duration",
        "“2026-13-45” is no day",
        "“x” is no status.",
        "“&lt;b&gt;” is no id of a profile.",
    ):
        assert words in html
    assert 'name="least" aria-label="Cost from" value="cheap"' in html
    assert '<details class="panel" open>' in html
    assert "ends before it begins" in page(client, "?steps_from=9&steps_to=3")
    assert "banner-warn wrong" not in page(client, "?least=&steps_to=+&status=")


def test_who_sees_no_costs_is_told_nothing_of_them(client):
    sign_in(client, "vera", "viewer")
    cheap = make_session(total_cost_microusd=1)
    html = page(client, "?least=5&most=cheap&sort=dearest")
    assert shown(html) == ids(cheap)
    assert not chips(html)
    assert "“cheap”" not in html and 'name="most"' not in html


def test_nothing_matches_offers_to_clear_the_filters(client):
    make_session(status="stopped")
    html = page(client, "?status=live&sort=dearest")
    assert 'data-empty="match"' in html
    assert 'href="/sessions/?sort=dearest"' in html and "Clear the filters" in html


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 300), ("90 s", 90), ("1h 30m", 5_400), ("2.5 hours", 9_000), ("1,5 min", 90), ("1d", 86_400), ("0", 0),
        ("", None), ("soon", None), ("-5", None), ("5 x", None), ("1e9", None), ("999999999 d", None), ("5٣", None),
    ],
)  # fmt: skip
def test_spans_are_read_as_people_type_them(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(90, "90 s"), (300, "5 min"), (5_400, "1 h 30 min"), (0, "0 s"), (0.5, "0.5 s"), (86_401, "1 d 1 s")],
)
def test_spans_are_said_as_they_can_be_typed(seconds, words):
    assert in_words(seconds) == words
    assert seconds_of(words) == seconds


def test_columns_are_chosen_in_a_form_and_kept_in_a_cookie(client):
    make_session()
    usual = "outcome when took steps cost model"
    assert f'data-shown="{usual}"' in page(client)
    answer = client.post(
        "/sessions/columns/", {"column": ["place", "steps", "x"], "query": "status=live&after=x"}
    )
    assert answer["Location"] == "/sessions/?status=live"
    assert 'data-shown="steps place"' in page(client)
    client.post("/sessions/columns/", {})
    assert 'data-shown=""' in page(client)
    client.cookies["columns"] = "<b>.steps"
    assert 'data-shown="steps"' in page(client)
    client.post("/sessions/columns/", {"usual": "1"})
    assert f'data-shown="{usual}"' in page(client)


def test_who_sees_no_costs_is_offered_no_such_column(client):
    sign_in(client, "vera", "viewer")
    make_session()
    html = page(client)
    assert 'value="steps"' in html and 'name="column" value="cost"' not in html
