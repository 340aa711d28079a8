"""Messages are read on from where the last reading ended, of whom somebody looks at; whoever refuses is left alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from dashboard.processes.programs import WORKERS
from sessions_app.live import watching
from sessions_app.models import AgentSession, Message, MessageAccess, MessageLog, SessionWords
from sessions_app.polling.messages import AT_ONCE, MOST_REQUESTS, read_all_due, read_due
from sessions_app.rules import messages as rules
from sessions_app.simulator.testing import running_simulator
from tests.support.factories import make_account, make_session
from tests.support.foreign import KEY, ForeignServer, running_foreign_server

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def upstream():
    with running_foreign_server() as server:
        yield server


@pytest.fixture
def account(upstream):
    return make_account(base_url=upstream.base_url, api_key=KEY)


def known(account, upstream: ForeignServer, name: str = "one", **columns) -> AgentSession:
    """A session that both sides know; its task has been read unless said otherwise."""
    columns = {"task": "told before", "task_wanted": False} | columns
    return make_session(account=account, uuid=UUID(upstream.add(name)), **columns)


def asked(upstream: ForeignServer) -> int:
    return sum(path.endswith("/messages") for _, path in upstream.requests)


def texts(session: AgentSession) -> list[str]:
    return list(
        Message.objects.filter(session=session).order_by("at_ms", "pk").values_list("text", flat=True)
    )


def fresh(session: AgentSession) -> AgentSession:
    return AgentSession.objects.get(pk=session.pk)


# ---- whose, and how much ---------------------------------------------------------------------------


def test_an_opened_session_is_read_on_from_where_the_last_reading_ended(account, upstream, clock):
    session = known(account, upstream)
    uuid = str(session.uuid)
    for number in range(250):
        upstream.say(uuid, f"message {number}")
    assert read_due(account, [session.pk]) == 1
    assert texts(session) == [f"message {number}" for number in range(250)]
    assert asked(upstream) == 4  # three pages, and one to see which end it had begun at
    upstream.say(uuid, "one more")
    clock.shift(20)
    read_due(account, [session.pk])
    assert (texts(session)[-1], len(texts(session)), asked(upstream)) == ("one more", 251, 5)


def test_the_streams_word_says_who_is_opened(account, upstream):
    session = known(account, upstream)
    upstream.say(str(session.uuid), "hello")
    assert read_all_due() == 0
    watching.note([session.pk])
    assert read_all_due() == 1
    assert texts(session) == ["hello"]


def test_what_needs_attention_is_read_and_what_nobody_looks_at_is_not(account, upstream):
    quiet, loud = known(account, upstream), known(account, upstream, "two", attention_rank=30)
    for session in (quiet, loud):
        upstream.say(str(session.uuid), "hello")
    read_due(account, [])
    assert (texts(quiet), texts(loud)) == ([], ["hello"])


def test_a_whole_log_is_not_asked_for_again_until_something_happens(account, upstream, clock):
    session = known(account, upstream, status="stopped")
    upstream.say(str(session.uuid), "hello")
    clock.shift(10)
    for _ in range(5):
        read_due(account, [session.pk])
        clock.shift(60)
    assert asked(upstream) == 1
    AgentSession.objects.update(observed_at=timezone.now())
    read_due(account, [session.pk])
    assert asked(upstream) == 2


def test_a_long_conversation_takes_several_rounds_of_few_requests(account, upstream):
    session = known(account, upstream)
    for number in range(100 * MOST_REQUESTS + 50):
        upstream.say(str(session.uuid), f"{number}")
    read_due(account, [session.pk])
    assert asked(upstream) == MOST_REQUESTS
    read_due(account, [session.pk])
    assert len(texts(session)) == 100 * MOST_REQUESTS + 50
    assert asked(upstream) < 2 * MOST_REQUESTS


def test_only_the_newest_are_kept_and_it_is_known_how_many_are_not(account, upstream):
    session = known(account, upstream)
    for number in range(rules.TRIMMED_AT + 60):
        upstream.say(str(session.uuid), f"{number}")
    for _ in range(3):
        read_due(account, [session.pk])
    log = MessageLog.objects.get(session=session)
    assert texts(session)[-1] == str(rules.TRIMMED_AT + 59)
    assert rules.KEPT_PER_SESSION <= len(texts(session)) <= rules.TRIMMED_AT
    assert log.dropped + len(texts(session)) == rules.TRIMMED_AT + 60


# ---- repeated, late, odd ---------------------------------------------------------------------------


def test_reading_it_all_again_changes_nothing(account, upstream):
    session = known(account, upstream)
    for number in range(120):
        upstream.say(str(session.uuid), f"{number}")
    read_due(account, [session.pk])
    before = list(Message.objects.values_list("pk", "vendor_id", "text"))
    MessageLog.objects.update(cursor="", is_whole=False)
    read_due(account, [session.pk])
    assert list(Message.objects.values_list("pk", "vendor_id", "text")) == before


def test_a_cursor_that_upstream_forgot_costs_one_reading_from_the_start(account, upstream, clock):
    session = known(account, upstream)
    upstream.say(str(session.uuid), "hello")
    MessageLog.objects.create(session=session, cursor="00000000-0000-4000-8000-00000000dead")
    read_due(account, [session.pk])
    assert texts(session) == []
    clock.shift(11)
    read_due(account, [session.pk])
    assert texts(session) == ["hello"]
    assert MessageAccess.objects.get().refused == 0


@pytest.mark.parametrize("begins", ["oldest", "newest"])
def test_either_end_may_come_first(account, upstream, begins):
    upstream.begins = begins
    session = known(account, upstream, task="", task_wanted=True)
    uuid = str(session.uuid)
    upstream.say(uuid, "Find a desk", "user_message", "human")
    for number in range(330):
        upstream.say(uuid, f"{number}")
    read_due(account, [session.pk])
    assert texts(session) == ["Find a desk", *map(str, range(330))]
    assert fresh(session).task == "Find a desk"
    assert MessageAccess.objects.get().begins == begins


def test_a_server_that_knows_no_cursors_is_not_asked_for_ever(account, upstream):
    upstream.knows_cursors = False
    session = known(account, upstream)
    for number in range(150):
        upstream.say(str(session.uuid), f"{number}")
    read_due(account, [session.pk])
    assert len(texts(session)) == 100
    assert asked(upstream) <= 3


def test_odd_messages_are_kept_as_they_are(account, upstream):
    session = known(account, upstream)
    uuid = str(session.uuid)
    upstream.say(uuid, {"deep": ["value"]}, "hologram", "oracle", summary="<b>bold</b>")
    upstream.say(uuid, "no id", id=None)
    upstream.say(uuid, "an endless id", id="x" * 300, createdAt="yesterday")
    upstream.say(uuid, "a\0b\ud800", hidden=True)
    upstream.say(uuid, "y" * 50_000, "browser_action_error")
    upstream.messages[uuid] += [{}, {"id": 7, "data": None}]
    for _ in range(2):
        MessageLog.objects.update(cursor="", is_whole=False)
        read_due(account, [session.pk])
    rows = {row.text[:20]: row for row in Message.objects.filter(session=session)}
    assert rows['{"deep":["value"]}'].kind == "hologram" and rows['{"deep":["value"]}'].role == "oracle"
    assert rows["no id"].vendor_id.startswith("#")
    assert rows["a\ufffdb\ufffd"].is_hidden
    long = rows["y" * 20]
    assert long.is_error and long.characters == 50_000 and len(long.text) == rules.LONGEST_TALK
    assert Message.objects.count() == 7


def test_no_address_that_opens_something_is_kept(account, upstream, settings):
    session = known(account, upstream)
    uuid = str(session.uuid)
    signed = "https://b.example/1.png?X-Amz-Signature=SECRET&x=1"
    live = f"{settings.LIVE_VIEW_ORIGINS[0]}/v/SECRET"
    upstream.say(
        uuid, {"shot": signed, "view": live, "cdp": "wss://cdp.example/SECRET"}, screenshotUrl=signed
    )
    upstream.say(uuid, '{"u":"https:\\/\\/b.example\\/1?a=1\\u0026token=SECRET"}', summary=f"Opened {live}")
    upstream.say(uuid, "See https://shop.example/desks?page=2 (good)")
    read_due(account, [session.pk])
    kept = " ".join(f"{row.text} {row.summary}" for row in Message.objects.all())
    assert "SECRET" not in kept and "(address not kept)" in kept
    assert "https://shop.example/desks?page=2" in kept


# ---- the task --------------------------------------------------------------------------------------


def test_the_task_is_the_first_thing_that_somebody_said(account, upstream):
    session = known(account, upstream, task="", task_wanted=True)
    uuid = str(session.uuid)
    upstream.say(uuid, "You are an agent", "user_message", "human", hidden=True)
    upstream.say(uuid, "Thinking", "planning")
    upstream.say(uuid, "Find a desk\nfor two" + "!" * 3_000, "", "human")  # `type` may be absent
    upstream.say(uuid, "And a chair", "user_message", "human")
    version = session.version
    read_due(account, [])
    now = fresh(session)
    assert now.task.startswith("Find a desk\nfor two!") and len(now.task) == rules.LONGEST_TASK
    assert not now.task_wanted and now.version > version
    assert " desk " in f" {SessionWords.objects.get(session=session).words} "
    assert texts(session) == []  # nobody looks: only the task is kept
    assert asked(upstream) == 1


def test_tasks_are_read_newest_first_and_few_per_round(account, upstream):
    sessions = []
    for number in range(5):
        born = timezone.now() - timedelta(hours=number)
        session = known(account, upstream, f"s{number}", task="", task_wanted=True, created_at=born)
        upstream.say(str(session.uuid), f"Task {number}", "user_message", "human")
        sessions.append(session)
    read_due(account, [])
    assert [fresh(session).task for session in sessions] == ["Task 0", "Task 1", "", "", ""]
    for _ in range(2):
        read_due(account, [])
    assert fresh(sessions[4]).task == "Task 4"
    before = asked(upstream)
    read_due(account, [])
    assert asked(upstream) == before


def test_a_session_without_a_task_is_asked_again_later(account, upstream, clock):
    living = known(account, upstream, task="", task_wanted=True, status="idle")
    upstream.messages[str(living.uuid)] = []
    read_due(account, [])
    upstream.say(str(living.uuid), "At last", "user_message", "human")
    clock.shift(35)
    read_due(account, [])
    assert fresh(living).task == "At last"


def test_what_had_ended_before_anybody_looked_costs_nothing_until_somebody_opens_it(account, upstream):
    ended = known(account, upstream, task="", task_wanted=True, status="stopped")
    upstream.say(str(ended.uuid), "Long ago", "user_message", "human")
    read_due(account, [])
    assert asked(upstream) == 0
    read_due(account, [ended.pk])
    assert fresh(ended).task == "Long ago"


# ---- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 402, 403, 429])
def test_who_refuses_the_account_is_left_alone(account, upstream, clock, status, valkey):
    upstream.refuses_messages = status
    session = known(account, upstream)
    for _ in range(10):
        read_due(account, [session.pk])
        clock.shift(1)
    assert asked(upstream) == 1
    access = MessageAccess.objects.get()
    assert access.error and str(status) in access.error
    upstream.refuses_messages = 0
    upstream.say(str(session.uuid), "hello")
    clock.shift(3600)
    valkey.flushall()  # the budget's own pause after a 429
    read_due(account, [session.pk])
    assert texts(session) == ["hello"]
    assert MessageAccess.objects.get().error == ""


def test_an_upstream_without_messages_is_found_out_after_a_few(account, upstream, clock):
    sessions = [known(account, upstream, f"s{number}", task="", task_wanted=True) for number in range(40)]
    for _ in range(60):
        read_due(account, [session.pk for session in sessions])
        clock.shift(10)
    assert asked(upstream) <= 6
    clock.shift(3600)
    read_due(account, [sessions[0].pk])
    assert asked(upstream) <= 7  # one try says that it is still so


def test_one_session_not_found_spoils_nothing_for_the_others(account, upstream, clock):
    lost, good = (
        known(account, upstream, attention_rank=90),
        known(account, upstream, "two", attention_rank=10),
    )
    upstream.say(str(good.uuid), "hello")
    for _ in range(30):
        read_due(account, [])
        clock.shift(1)
    assert texts(good) == ["hello"]
    log = MessageLog.objects.get(session=lost)
    assert log.error_kind == "not_found" and log.failures == 1


def test_a_server_that_fails_is_asked_more_and_more_seldom(account, upstream, clock):
    upstream.refuses_messages = 500
    session = known(account, upstream)
    for _ in range(300):
        read_due(account, [session.pk])
        clock.shift(1)
    assert 4 <= asked(upstream) <= 16  # a failed reading may be two requests


def test_with_the_budget_used_up_nothing_is_asked_and_nothing_is_noted(account, upstream):
    session = known(account, upstream)
    upstream.say(str(session.uuid), "hello")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sessions_app.polling.messages.MOST_REQUESTS", 0)
        assert read_due(account, [session.pk]) == 0
    assert asked(upstream) == 0
    read_due(account, [session.pk])
    assert texts(session) == ["hello"]


def test_two_workers_never_read_the_same_session_at_once(account, upstream):
    session = known(account, upstream)
    MessageLog.objects.create(session=session, due_at=timezone.now() + timedelta(seconds=20))
    assert read_due(account, [session.pk]) == 0
    assert asked(upstream) == 0


# ---- the real contract -----------------------------------------------------------------------------


def test_against_the_simulator():
    with running_simulator(sessions=0, clock="manual") as sim:
        upstream = sim.running_session("Compare three offers")
        sim.advance(600)
        account = make_account(base_url=sim.base_url, api_key=sim.key)
        session = make_session(account=account, uuid=upstream.id)
        for _ in range(4):
            read_due(account, [session.pk])
        kinds = set(Message.objects.filter(session=session).values_list("kind", flat=True))
    assert fresh(session).task
    assert {"user_message", "planning", "browser_action", "browser_action_result"} <= kinds
    assert "token=" not in " ".join(texts(session))


def test_few_rounds_go_on_at_once_and_leave_the_fast_lane_its_threads(account, upstream, valkey):
    session = known(account, upstream)
    upstream.say(str(session.uuid), "hello")
    watching.note([session.pk])
    for number in range(AT_ONCE):
        valkey.set(f"messages:place:{number}", 1)
    assert read_all_due() == 0 and asked(upstream) == 0
    valkey.delete("messages:place:1")
    assert read_all_due() == 1 and texts(session) == ["hello"]
    assert not valkey.exists("messages:place:1"), "it is free again"
    valkey.delete("messages:place:0")


def test_messages_wait_for_no_picture():
    assert WORKERS["messages"] == WORKERS["watched"] != WORKERS["pictures"]
