"""The proof of the books: made once a day, kept, and shown with its age."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from sessions_app.costs import proof
from sessions_app.models import AgentSession, BooksProof
from tests.app.test_costs import person
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


def shown(client) -> str:
    client.force_login(person("lena", "lead"))
    return client.get("/costs/?range=all").content.decode()


def test_right_books_are_proved_and_the_page_says_when(client):
    spend([(NOW, 5)])
    spend([(NOW, 7)])
    call_command("verify_costs")
    made = BooksProof.objects.get()
    assert (made.sessions, made.wrong, made.begun_at, made.ended_at) == (2, "", NOW, NOW)
    html = shown(client)
    assert "It was last proved" in html and "for each of 2 sessions" in html


def test_wrong_books_are_named_and_shown(client):
    session = spend([(NOW, 5)])
    AgentSession.objects.filter(pk=session.pk).update(total_cost_microusd=6)
    with pytest.raises(CommandError, match=str(session.uuid)):
        call_command("verify_costs")
    html = shown(client)
    assert "The books did not add up" in html
    assert f"Session {session.uuid}: booked $0.000005, its total is $0.000006." in html
    AgentSession.objects.filter(pk=session.pk).update(total_cost_microusd=5)
    call_command("verify_costs")
    assert proof.last().wrong == ""


def test_before_the_first_one_the_page_says_so(client):
    spend([(NOW, 5)])
    assert "it was not yet" in shown(client)


def test_once_a_day_however_often_it_ticks():
    made = [proof.prove_daily(NOW + hours * timedelta(hours=1)) for hours in (0, 1, 23)]
    assert [one is not None for one in made] == [True, False, False]
    assert proof.prove_daily(NOW + timedelta(hours=25))


def test_one_that_was_cut_short_is_no_proof():
    BooksProof.objects.create(begun_at=NOW - timedelta(hours=1))
    assert proof.last() is None


def test_old_ones_go():
    for hours in range(1, 40):
        BooksProof.objects.create(begun_at=NOW - hours * timedelta(hours=24), ended_at=NOW)
    newest = proof.prove()
    assert BooksProof.objects.count() == proof.KEPT
    assert proof.last() == newest
