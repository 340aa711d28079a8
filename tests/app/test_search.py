"""Search over title, task, output, last step and id: kept true by whoever changes them, alike on both databases."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.models import AgentSession, SessionDetail, SessionWords
from sessions_app.polling import absence, words
from sessions_app.polling.ingest import apply_answers
from sessions_app.queries import search
from sessions_app.types import Answer
from sessions_app.upstream.schema import read_session
from tests.support import replies
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def found(text: str) -> set[str]:
    matching = search.matching(AgentSession.objects.all(), search.clean(text))
    return set(matching.values_list("title", flat=True))


def ended(title: str, *, output: str = "", **columns) -> AgentSession:
    session = make_session(title=title, status="stopped", **{"last_step": ""} | columns)
    if output:
        SessionDetail.objects.create(session=session, raw=f'{{"output": "{output}"}}')
        words.index([session.pk])
    return session


@pytest.mark.parametrize(
    "text",
    [
        "kiwi",
        "IWI",
        "peel",
        "kiwi peel",
        "two kiwi",
        "sweet peel",
        "beef0000",
        "deadbeef-0000",
        "no",
        "%",
        "kiwi no",
        "\U0001f680",
        "'",
    ],
)
def test_one_by_one_finds_the_same(text):
    ended("kiwi pie", task="for two")
    ended("id", uuid="deadbeef-0000-4000-8000-0123456789ab")
    ended("output", output="sweet kiwi")
    make_session(title="alive", last_step="Peeled the kiwi", task="a sweet one")
    make_session(title="silent", last_step="")
    text = search.clean(text)
    one_by_one = search.matching_one_by_one(AgentSession.objects.all(), text)
    assert set(one_by_one.values_list("title", flat=True)) == found(text)


def test_the_index_counts_up_to_a_limit():
    for number in range(4):
        ended(f"kiwi {number}")
    assert [search.indexed_up_to("kiwi", most) for most in (1, 4, 9)] == [1, 4, 4]
    assert search.indexed_up_to("papaya", 9) == search.indexed_up_to("?", 9) == 0


def test_each_of_title_task_output_step_and_id_is_searched():
    ended("In the title: kiwi")
    ended("task", task="Buy a papaya\nfor two")
    ended("output", output="a mango, ripe")
    ended("step", last_step="Peeled the guava")
    ended("id", uuid="deadbeef-0000-4000-8000-0123456789ab")
    assert found("kiwi") == {"In the title: kiwi"}
    assert found("papaya TWO") == {"task"}
    assert found("mang") == {"output"}
    assert found("guava") == {"step"}
    assert found("BEEF-0000") == found("deadbeef-0000-4000-8000-0123456789ab") == {"id"}
    assert found("kiwi mango") == set()


def test_words_may_stand_in_different_places():
    ended("Collect offers", task="from the portal", output="three results")
    make_session(title="Compare offers", last_step="Opened the portal", task="three of them")
    assert found("offers portal three") == {"Collect offers", "Compare offers"}
    assert found("compare portal") == {"Compare offers"}
    assert found("portal offers") == {"Collect offers", "Compare offers"}


def test_a_living_session_is_found_by_what_it_does_now():
    session = make_session(title="alive", last_step="Peeled the guava")
    assert found("guava") == found("uav") == {"alive"}
    AgentSession.objects.filter(pk=session.pk).update(last_step="Washed the knife")
    assert (found("guava"), found("knife")) == (set(), {"alive"})


def test_accents_and_cjk():
    ended("Le Café à Kraków", task="東京都庁へ行く")
    for text in ("cafe", "CAFÉ", "krakow", "Kraków", "東京", "都庁", "行", "京都庁"):
        assert found(text) == {"Le Café à Kraków"}, text
    assert found("大阪") == set()


@pytest.mark.parametrize(
    "text",
    ['"', "'", "a OR b", "NEAR(a b)", "*", "kiwi*", "title:kiwi", "-kiwi", "(", "a & b | !c", "\\", "%", "_", "' OR 1=1 --",
     "\0kiwi", "\ud800", "¶dead", "x" * 10_000, "a b " * 2_500, "🚀", "\u0301", "'kiwi':*", "$$", "{}", "<b>"],
)  # fmt: skip
def test_no_text_is_an_error(text, client):
    ended("kiwi")
    assert found(text) <= {"kiwi"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.text(alphabet="ab\"'*:()&|!^-+\\¶ é東", max_size=40))
def test_whatever_is_typed_there_is_an_answer(text):
    if not AgentSession.objects.exists():
        ended("ab é 東京")
        make_session(title="ab living")
    assert found(text) <= {"ab é 東京", "ab living"}


def test_every_word_of_a_session_finds_it():
    session = ended("Über die Straße 東京", task="naïve, Ёлка & Co: 4.95 €", output="ＡＢＣ ok")
    for text in (session.title, session.task, "ＡＢＣ", *session.title.split(), "naive", "ёлка", "4.95"):
        assert found(text) == {session.title}, text


# ---- kept true by whoever changes them ---------------------------------------------------------------


def answer(seconds: int, **fields) -> Answer:
    at = timezone.now() - timedelta(minutes=5) + timedelta(seconds=seconds)
    given = {"id": "deadbeef-0000-4000-8000-0123456789ab", "updatedAt": at.isoformat()} | fields
    return Answer(at, read_session(json.dumps(replies.session(**given)).encode()))


def test_an_answer_and_its_words_come_together():
    account = make_account()
    apply_answers(account, [answer(0, status="running", title="first", lastStepSummary="Peeled the guava")])
    assert found("guava") == found("first") == {"first"}
    apply_answers(account, [answer(1, status="running", title="first", lastStepSummary="Washed the knife")])
    assert found("guava") == set()
    apply_answers(account, [answer(2, status="idle", title="second", output={"fruit": "mango"})])
    assert found("mango") == {"second"} and found("first") == set()
    apply_answers(
        account, [answer(3, status="stopped", title="second", lastStepSummary="Ate it", output=None)]
    )
    assert found("ate") == {"second"} and found("mango") == set()


def test_what_was_deleted_upstream_is_found_by_its_last_step():
    session = make_session(title="gone", last_step="Peeled the guava")
    for minutes in (3, 6):
        absence.note_not_found(session.account, [session.uuid], timezone.now() + timedelta(minutes=minutes))
    assert AgentSession.objects.get().gone_at
    assert found("guava") == {"gone"}


def test_the_same_words_are_not_written_twice():
    session = ended("kiwi")
    SessionWords.objects.update(words="changed behind its back")
    words.index([session.pk])
    assert SessionWords.objects.get().words == "changed behind its back"
    AgentSession.objects.update(title="papaya")
    words.index([session.pk])
    assert found("papaya") == {"papaya"} and found("changed") == found("kiwi") == set()


def test_a_session_that_goes_takes_its_words_along():
    session = ended("kiwi")
    session.delete()
    again = ended("papaya")
    assert found("kiwi") == set() and found("papaya") == {"papaya"}
    assert not SessionWords.objects.exclude(pk=again.pk).exists()


def test_the_index_and_the_table_agree():
    """On SQLite triggers keep it: a migration that makes the table anew would lose them."""
    sessions = [ended(f"title {number}") for number in range(20)]
    AgentSession.objects.update(title="another")
    words.index([session.pk for session in sessions])
    sessions[0].delete()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
                ["%words_index%"],
            )
            assert cursor.fetchone() == (3,)
            # Raises when they differ.
            cursor.execute(
                "INSERT INTO sessions_app_sessionwords_index(sessions_app_sessionwords_index, rank) VALUES ('integrity-check', 1)"
            )
    assert found("another") == {"another"}
    assert search.matching(AgentSession.objects.all(), "another").count() == 19


@pytest.mark.django_db(transaction=True)
def test_flushing_the_tables_leaves_an_index_that_works():
    ended("kiwi")
    assert found("kiwi") == {"kiwi"}


@pytest.mark.django_db(transaction=True)
def test_and_again_after_the_flush():
    assert found("kiwi") == set()
    ended("kiwi")
    assert found("kiwi") == {"kiwi"}


def test_a_search_is_one_question(django_assert_num_queries):
    ended("kiwi")
    for text in ("kiwi", "one two three four five", "deadbeef"):
        with django_assert_num_queries(1):
            found(text)


def test_uuid_of_the_page_of_an_unknown_session_is_searchable():
    ended("id", uuid=UUID(int=5))
    assert found(str(UUID(int=5))) == {"id"}
    assert found(str(UUID(int=6))) == set()
