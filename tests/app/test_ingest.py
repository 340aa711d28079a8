"""Answers in, one transaction: what they change, and what they don't."""

import pytest
from django.db import IntegrityError, transaction

from sessions_app.models import Account, AgentSession, CostHour, SessionDetail, Snapshot, Step
from sessions_app.polling import absence, records, writer
from sessions_app.polling.ingest import Applied, apply_answers
from sessions_app.polling.intake import take_pages
from sessions_app.types import Answer
from sessions_app.upstream.pages import session_page
from sessions_app.upstream.schema import read_session
from tests.support.answers import NOON, answer, at
from tests.support.replies import page, raw_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def account() -> Account:
    return Account.objects.create(slug="a", name="A", base_url="http://127.0.0.1:1", api_key="k")


def only_session() -> AgentSession:
    return AgentSession.objects.get()


def test_a_new_session_has_a_row_a_detail_a_snapshot_a_step_and_a_booking(account):
    applied = apply_answers(
        account,
        [
            answer(
                5,
                last_step="Opening the page",
                step_count=1,
                total_cost_microusd=70,
                live_url="https://l/?t=1",
            )
        ],
    )
    session = only_session()
    assert applied == Applied((), (session.pk,), ())
    assert session.observed_at == at(5) and session.version == 1 and session.has_live_url
    assert SessionDetail.objects.get().live_url == "https://l/?t=1"
    assert Snapshot.objects.get().total_cost_microusd == 70
    assert Step.objects.get().text == "Opening the page"
    assert CostHour.objects.get().total_microusd == 70


def test_every_column_survives_a_change(account):
    """The fast writer must store what Django would read back."""
    apply_answers(account, [answer(5)])
    change = answer(
        9, title="Titel — ünï \U0001f600", proxy_country="uk", max_cost_microusd=5, is_task_successful=False,
        profile_id=answer(0, 7).session.uuid, live_url="https://l/?t=2", screenshot_url="https://s",
        tokens_in=2**62, proxy_used_bytes=3, model="m" * 300, last_step="s" * 3_000,
    )  # fmt: skip
    assert apply_answers(account, [change]).changed == (only_session().pk,)
    session = only_session()
    assert session.title == "Titel — ünï \U0001f600" and session.is_task_successful is False
    assert session.profile_id == answer(0, 7).session.uuid and session.tokens_in == 2**62
    assert session.model == "m" * 128 and session.last_step == "s" * 1_000
    assert session.updated_at == session.observed_at == at(9) and session.version == 2
    assert session.created_at == NOON and session.attention == [] and session.missing_since is None
    assert SessionDetail.objects.get().live_url == "https://l/?t=2"


def test_the_same_again_changes_nothing(account):
    one = answer(5, total_cost_microusd=70)
    apply_answers(account, [one])
    assert apply_answers(account, [one]) == Applied((), (), ())
    assert apply_answers(account, [answer(9, total_cost_microusd=70)]) == Applied((), (), ())
    assert only_session().version == 1
    assert Snapshot.objects.count() == 1 and CostHour.objects.get().total_microusd == 70


def test_a_late_answer_changes_nothing(account):
    apply_answers(account, [answer(9, step_count=5, total_cost_microusd=70)])
    assert apply_answers(account, [answer(5, step_count=3, total_cost_microusd=50)]) == Applied((), (), ())
    assert only_session().step_count == 5


def test_nor_does_one_from_before_a_change_was_taken_back(account):
    """Upstream went from idle to running to idle, and the middle arrives last."""
    apply_answers(account, [answer(5, status="idle")])
    apply_answers(account, [answer(9, status="idle")])
    assert apply_answers(account, [answer(7, status="running")]) == Applied((), (), ())
    assert only_session().status == "idle" and only_session().version == 1


def test_nor_when_pages_told_of_the_change_and_the_change_back(account):
    """The same, with the looks at pages: what did not change there is not even decoded."""
    for seconds in (5, 9):
        moment = at(seconds).isoformat()
        raw = raw_session(status="idle", updatedAt=moment)
        take_pages(account, [session_page(page(raw), at(seconds), 1)])
    late = read_session(raw_session(status="running", updatedAt=at(7).isoformat()))
    assert apply_answers(account, [Answer(at(7), late)]) == Applied((), (), ())
    assert only_session().status == "idle" and only_session().version == 1


def test_a_gone_session_is_not_brought_back_by_an_answer_from_before_the_404(account):
    apply_answers(account, [answer(0)])
    for seconds in (10, 80):
        absence.note_not_found(account, [only_session().uuid], at(seconds))
    assert only_session().gone_at == at(80)
    assert apply_answers(account, [answer(75, step_count=9)]) == Applied((), (), ())
    assert only_session().gone_at and not only_session().is_live
    assert apply_answers(account, [answer(81)]).changed and only_session().is_live


def test_late_recordings_do_not_replace_later_ones(account):
    apply_answers(account, [answer(5, status="stopped")])
    both = ("https://r/0.webm", "https://r/1.webm")
    assert apply_answers(account, [answer(9, status="stopped", recording_urls=both)]).changed
    assert apply_answers(account, [answer(7, status="stopped", recording_urls=both[:1])]) == Applied(
        (), (), ()
    )
    assert SessionDetail.objects.get().recording_urls == "\n".join(both)


def test_of_two_answers_in_one_batch_the_later_request_counts(account):
    apply_answers(account, [answer(9, step_count=5), answer(5, step_count=3)])
    assert only_session().step_count == 5


def test_a_session_that_ends_says_so_and_loses_its_live_url(account):
    apply_answers(account, [answer(5, live_url="https://l/?t=1")])
    applied = apply_answers(account, [answer(9, status="stopped", live_url="https://l/?t=1")])
    assert applied.ended == applied.changed == (only_session().pk,)
    assert SessionDetail.objects.get().live_url == "" and only_session().ended_at == at(9)


def test_recordings_of_a_single_read_are_kept_when_lists_do_not_tell_them(account):
    apply_answers(account, [answer(5, status="stopped")])
    told = apply_answers(account, [answer(9, status="stopped", recording_urls=("https://r/0.webm?sig=a",))])
    assert told.changed == (only_session().pk,) and only_session().version == 2
    again = apply_answers(account, [answer(12, status="stopped", recording_urls=("https://r/0.webm?sig=b",))])
    assert again == Applied((), (), ())
    apply_answers(account, [answer(15, status="stopped", total_cost_microusd=9)])
    assert SessionDetail.objects.get().recording_urls == "https://r/0.webm?sig=a"
    apply_answers(
        account, [answer(18, status="stopped", recording_urls=("https://r/0.webm", "https://r/1.webm"))]
    )
    assert SessionDetail.objects.get().recording_urls == "https://r/0.webm\nhttps://r/1.webm"


def test_an_answer_brings_back_what_was_missing_unreadable_or_gone(account):
    apply_answers(account, [answer(5)])
    for seconds, column in enumerate(("missing_since", "gone_at", "unread_since"), start=7):
        AgentSession.objects.update(**{column: at(6), "is_live": False})
        assert apply_answers(account, [answer(seconds)]).changed
        session = only_session()
        assert getattr(session, column) is None and session.is_live
    assert Snapshot.objects.count() == 1  # nothing of history changed


def test_a_session_of_a_resting_account_moves_to_the_one_that_reads_it(account):
    other = Account.objects.create(slug="b", name="B", base_url="http://127.0.0.1:2", api_key="k")
    apply_answers(other, [answer(5)])
    apply_answers(account, [answer(7)])
    assert only_session().account == other, "both are read: it stays"
    Account.objects.filter(pk=other.pk).update(is_active=False)
    assert apply_answers(account, [answer(9)]).changed == (only_session().pk,)
    assert only_session().account == account and only_session().version == 2


def test_all_or_nothing(account, monkeypatch):
    """A crash between the steps leaves nothing half done, and the same answer can be applied afterwards."""
    apply_answers(account, [answer(5, total_cost_microusd=10)])

    def crash(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(records, "write_recordings", crash)
        with pytest.raises(MemoryError):
            apply_answers(account, [answer(9, total_cost_microusd=30), answer(9, 2, total_cost_microusd=5)])
    assert only_session().total_cost_microusd == 10 and CostHour.objects.get().total_microusd == 10
    apply_answers(account, [answer(9, total_cost_microusd=30)])
    assert CostHour.objects.get().total_microusd == 30


def test_a_write_that_is_refused_while_nobody_waits_for_it_takes_the_others_back(account):
    apply_answers(account, [answer(5)])
    before = only_session()
    with pytest.raises(IntegrityError), transaction.atomic(), writer.without_waiting():
        writer.update(AgentSession, ("title",), [("written before", before.pk)])
        writer.update(AgentSession, ("status",), [(None, before.pk)])
        writer.update(AgentSession, ("title",), [("written after", before.pk)])
    assert only_session().title == before.title
    assert apply_answers(account, [answer(9, total_cost_microusd=30)]).changed == (before.pk,)


def test_who_comes_second_with_a_new_session_updates_it(account, monkeypatch):
    """Between our look and our insert somebody else has inserted it."""
    from sessions_app.polling import ingest

    insert, calls = ingest._insert, []

    def beaten(*given):
        calls.append(1)
        if len(calls) == 1:
            raise IntegrityError("unique: uuid")
        return insert(*given)

    monkeypatch.setattr(ingest, "_insert", beaten)
    assert apply_answers(account, [answer(5)]).new == (only_session().pk,)


def test_a_batch_costs_as_many_queries_as_one(account, django_assert_max_num_queries):
    for size in (1, 60):
        apply_answers(account, [answer(1, n) for n in range(1, size + 1)])
        batch = [
            answer(
                20 * size,
                n,
                step_count=size,
                last_step=f"s{n}",
                total_cost_microusd=9,
                live_url=f"https://l/{n}",
            )
            for n in range(1, size + 1)
        ]
        with django_assert_max_num_queries(9):
            assert len(apply_answers(account, batch).changed) == size
