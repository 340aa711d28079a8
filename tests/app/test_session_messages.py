"""Task and messages on the page of a session: readable, a page at a time, and harmless whatever they say."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from sessions_app.models import AgentSession, Message, MessageAccess, MessageLog
from sessions_app.queries import messages, rows
from tests.support.factories import make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> https://evil.example/x javascript:alert(3)"


@pytest.fixture(autouse=True)
def _nothing_kept():
    rows.forget()


@pytest.fixture
def vera() -> Client:
    """A viewer."""
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client()
    client.force_login(user)
    return client


def say(
    session: AgentSession, text: str, kind: str = "assistant_message", role: str = "ai", **columns
) -> Message:
    number = Message.objects.filter(session=session).count()
    given = {"vendor_id": f"m{number}", "at_ms": 1_780_000_000_000 + number * 1_000, "characters": len(text)}
    return Message.objects.create(session=session, text=text, kind=kind, role=role, **given | columns)


def page_of(client: Client, session: AgentSession, query: str = "") -> str:
    answer = client.get(f"/sessions/{session.uuid}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def panel_of(client: Client, session: AgentSession, query: str = "") -> str:
    return page_of(client, session, f"?panel=messages{query}")


def shown(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="said-(\d+)"', html)]


# ---- the task --------------------------------------------------------------------------------------


def test_the_task_is_shown_as_it_was_written(vera):
    session = make_session(task=f"Find a desk\n  for two\n{NASTY}")
    html = page_of(vera, session)
    assert "Find a desk\n  for two\n&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html and "<img src=x" not in html
    assert 'data-copy="Find a desk\n' in html
    assert 'id="task-all"' not in html


def test_a_long_task_unfolds_without_script(vera):
    html = page_of(vera, make_session(task="word " * 390))
    assert re.search(r'<details id="task-all">.*?(word ){380}', html, re.DOTALL)


def test_a_session_without_a_task_has_no_empty_card(vera):
    assert "<h2>Task</h2>" not in page_of(vera, make_session())


def test_where_the_title_is_missing_the_task_stands_in_its_place(vera):
    make_session(title="", task="Find a <desk>", status="stopped")
    html = vera.get("/sessions/").content.decode()
    assert "Find a &lt;desk&gt;" in html and "Untitled" not in html
    session = AgentSession.objects.get()
    assert re.search(r"<h1[^>]*>Find a &lt;desk&gt;</h1>", page_of(vera, session))
    assert str(session) == "Find a <desk>"


def test_a_task_that_is_read_later_shows_in_the_row(vera):
    session = make_session(title="", status="stopped")
    assert "Untitled" in vera.get("/sessions/").content.decode()
    AgentSession.objects.filter(pk=session.pk).update_shown(timezone.now(), task="Find a desk")
    assert "Find a desk" in vera.get("/sessions/").content.decode()


@pytest.mark.parametrize("address", ["/sessions/", "/"])
def test_sessions_and_live_are_searched_by_task(vera, address):
    found = make_session(title="one", task="Find a desk")
    make_session(title="two", task="Find a chair")
    html = vera.get(f"{address}?q=DESK").content.decode()
    assert re.findall(r'data-session-id="([0-9a-f-]+)"', html) == [str(found.uuid)]


# ---- the log ---------------------------------------------------------------------------------------


def test_talk_is_open_steps_are_folded_and_errors_say_so(vera):
    session = make_session()
    say(session, "Find a desk", "user_message", "human")
    say(session, "I begin", "assistant_message")
    say(session, '{"action": "click"}', "browser_action", summary="Clicking the desk")
    say(session, '{"ok": true}', "browser_action_result", summary="Done")
    say(
        session,
        "Timeout: it did not appear",
        "browser_action_error",
        summary="The page was slow",
        is_error=True,
    )
    say(session, "spooky", "hologram", "oracle")
    say(session, "secret plan", "planning", is_hidden=True)
    html = panel_of(vera, session)
    looks = re.findall(r'class="said said-(\w+)"', html)
    assert looks == ["person", "agent", "step", "error", "agent", "step"]
    assert "Person" in html and "Clicking the desk" in html and "→ Done" in html
    error = html.split("said-error")[1].split("</li>")[0]
    assert "Error" in error and "Timeout: it did not appear" in error and "The page was slow" in error
    assert "hologram" in html and "oracle" in html  # what nobody knows is shown as it is
    assert "not for chats" in html
    assert html.count("<details") == 2


def test_nothing_that_was_said_executes_or_is_a_link(vera):
    session = make_session(title="fine")
    for kind in ("user_message", "browser_action", "browser_action_error", NASTY[:60]):
        say(session, NASTY, kind, NASTY[:30], summary=NASTY, is_error=kind.endswith("error"))
    html = panel_of(vera, session)
    assert "<script>" not in html and "<img" not in html
    assert not re.findall(r'href="(?!/sessions/|#)', html)


def test_long_ones_unfold_and_say_how_much_there_is(vera):
    session = make_session()
    say(session, "x" * 900)
    say(session, "y" * 900, characters=50_000)
    say(session, "z\n" * 40)
    html = panel_of(vera, session)
    assert "Show all 900 characters" in html and "Show the first 900 of 50,000 characters" in html
    assert "Show all 80 characters" in html


def test_earlier_ones_are_a_link_away_without_gap_or_repetition(vera):
    session = make_session()
    made = [say(session, f"{number}", at_ms=1_780_000_000_000 + number // 7).pk for number in range(130)]
    html, found = panel_of(vera, session), []
    assert "80 earlier messages" in html
    while True:
        found = shown(html) + found
        link = re.search(r"\?panel=messages&amp;(messages=\d+-\d+)", html)
        if not link:
            break
        html = panel_of(vera, session, "&" + link[1])
        assert 'value="messages:*"' in html and "Newest messages" in html
    assert found == made
    assert "30 earlier" not in html
    whole = page_of(vera, session, f"?messages={1_780_000_000_000 + 3}-{made[21]}")  # without script
    assert shown(whole) == made[:21] and 'value="messages:*"' in whole


def test_an_open_page_grows_and_loses_no_line(vera):
    session = make_session()
    for number in range(60):
        say(session, f"{number}")
    html = page_of(vera, session)
    place = re.search(r'name="from" value="([\d-]+)"', html)[1]
    tag = re.search(r'value="messages:(\w+)"', html)[1]
    query = f"?panel=changed&from={place}&seen=messages:{tag}"
    assert vera.get(f"/sessions/{session.uuid}/{query}").status_code == 204
    before = shown(html)
    new = [say(session, f"new {number}").pk for number in range(30)]
    fresh = page_of(vera, session, query)
    assert shown(fresh) == before + new and f'name="from" value="{place}"' in fresh
    for number in range(messages.MOST):
        say(session, f"more {number}")
    assert len(shown(page_of(vera, session, query))) == messages.MOST


@pytest.mark.parametrize("query", ["messages=x", "messages=1", "messages=-", "messages=9-" + "9" * 30, "from=%00", "from=1-2-3", "messages=٣-٣"])  # fmt: skip
def test_odd_places_give_the_newest(vera, query):
    session = make_session()
    made = say(session, "hello")
    assert shown(page_of(vera, session, f"?{query}")) == [made.pk]


def test_a_dropped_beginning_is_said(vera):
    session = make_session()
    say(session, "hello")
    MessageLog.objects.create(session=session, read_at=timezone.now(), is_whole=True, dropped=1_200)
    assert "1,200 messages from before are not kept." in panel_of(vera, session)


# ---- nothing to show -------------------------------------------------------------------------------


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_before_the_first_reading(vera):
    assert "reading…" in words_of(panel_of(vera, make_session()))


def test_read_and_empty(vera):
    for status, words in (
        ("idle", "Nothing has been said yet."),
        ("stopped", "Nothing was said in this session."),
    ):
        session = make_session(status=status)
        MessageLog.objects.create(session=session, read_at=timezone.now(), is_whole=True)
        assert words in words_of(panel_of(vera, session))


def test_more_is_on_its_way(vera):
    session = make_session()
    say(session, "hello")
    MessageLog.objects.create(session=session, read_at=timezone.now(), is_whole=False)
    assert "more are being read" in words_of(panel_of(vera, session))


def test_forbidden_is_said_in_words_with_and_without_messages(vera):
    session = make_session()
    MessageAccess.objects.create(
        account=session.account, paused_until=timezone.now() + timedelta(minutes=5), error_kind="unauthorized",
        error="The API key may not read this project (403).",
    )  # fmt: skip
    assert "not read for now. The API key may not read this project (403)." in words_of(
        panel_of(vera, session)
    )
    say(session, "hello")
    html = words_of(panel_of(vera, session))
    assert "hello" in html and "(403)" in html


def test_not_found_gone_and_resting(vera):
    lost, gone = make_session(), make_session(gone_at=timezone.now(), is_live=False)
    MessageLog.objects.create(
        session=lost, error_kind="not_found", error="Browser Use does not know this (404)."
    )
    assert "could not be read. Browser Use does not know this (404)." in words_of(panel_of(vera, lost))
    assert "deleted upstream" in words_of(panel_of(vera, gone))
    other = make_session()
    other.account.is_active = False
    other.account.save()
    assert "Its account rests" in words_of(panel_of(vera, other))


def test_the_same_few_questions_however_long(vera, django_assert_num_queries):
    session = make_session()
    MessageLog.objects.create(session=session, read_at=timezone.now())
    say(session, "hello")
    with django_assert_num_queries(7):
        panel_of(vera, session)
    for number in range(60):
        say(session, f"{number}")
    with django_assert_num_queries(7):
        panel_of(vera, session)


# ---- finding ---------------------------------------------------------------------------------------


def test_words_and_errors_alone_are_found_and_stay_found(vera):
    session = make_session()
    right = say(session, "The first offer is CHEAP")
    say(session, "The second offer is dear")
    wrong = say(session, "cheap glass broke", kind="browser_action_error", is_error=True)
    assert shown(panel_of(vera, session, "&find=cheap")) == [right.pk, wrong.pk]
    assert shown(panel_of(vera, session, "&find=offer+cheap")) == [right.pk]
    html = panel_of(vera, session, "&find=cheap&only=errors")
    assert shown(html) == [wrong.pk]
    assert 'name="find" value="cheap"' in html and 'name="only" value="errors" checked' in html
    assert "No message matches." in panel_of(vera, session, "&find=%25")
    later = say(session, "cheap again")
    grown = page_of(vera, session, "?panel=changed&seen=messages:x&find=cheap")
    assert shown(grown) == [right.pk, wrong.pk, later.pk]


def test_earlier_ones_of_what_was_found_are_found_too(vera):
    session = make_session()
    for number in range(120):
        say(session, f"{'odd' if number % 2 else 'even'} {number}")
    html = panel_of(vera, session, "&find=odd")
    before = re.search(r"\?messages=([\d-]+)&amp;find=odd#messages", html)
    assert len(shown(html)) == 50 and before
    assert len(shown(panel_of(vera, session, f"&find=odd&messages={before[1]}"))) == 10
