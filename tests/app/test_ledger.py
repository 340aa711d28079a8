"""The ledger says what the database says, after whatever happened since it was last opened."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID, uuid4

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.costs.bookkeeper import OVERLAP, forget, opened
from sessions_app.costs.columns import SIDES
from sessions_app.costs.question import CostQuestion, question
from sessions_app.costs.titles import by_title
from sessions_app.models import AgentSession, CostHour
from sessions_app.polling.ingest import apply_answers
from tests.support.factories import make_account
from tests.support.reckoning import reckoning
from tests.support.spending import NOW, reading, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MINUTE = timedelta(minutes=1)
PROFILES = (None, UUID(int=1), UUID(int=2))


def asked(**query: str) -> CostQuestion:
    return question(query, "UTC", NOW)


def agrees(wanted: CostQuestion) -> None:
    """Every figure that a question can ask the ledger for, against the rows of the database."""
    right = reckoning(wanted)
    with opened() as ledger:
        chosen = ledger.select(wanted.first_hour, wanted.end_hour, wanted.only)
        assert chosen.microusd == right.total
        assert {hour: tuple(spend) for hour, spend in chosen.hours} == right.hours
        for side in SIDES:
            found = {one.key: (one.sessions, one.microusd) for one in chosen.groups(side)}
            assert found == right.sides[side], side
        by_cost = sorted(right.spent, key=lambda pk: (right.spent[pk], pk))
        assert chosen.page("spent", 0, 100, descending=False) == by_cost
        assert chosen.page("spent", 1, 3, descending=True) == by_cost[::-1][1:4]
        titles = dict(AgentSession.objects.values_list("pk", "title"))
        from_a = sorted(right.spent, key=lambda pk: (titles[pk].lower(), pk))
        assert by_title(chosen, 0, 100, descending=False) == from_a
        assert by_title(chosen, 1, 3, descending=True) == from_a[::-1][1:4]
        if by_cost:
            ranks = sorted({1, -(-len(by_cost) // 2), len(by_cost)})
            assert chosen.ranked(ranks) == [right.spent[by_cost[rank - 1]] for rank in ranks]


READING = st.tuples(
    st.integers(0, 7),  # which session
    st.integers(0, 50),  # minutes later
    st.none() | st.integers(-(10**6), 10**12),
    st.sampled_from(["running", "idle", "stopped", "error", "hibernating"]),
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(PROFILES),
    st.sampled_from([None, True, False]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(READING, max_size=8), min_size=1, max_size=5))
def test_a_ledger_that_was_open_before_says_what_the_database_says(batches):
    CostHour.objects.all().delete()
    AgentSession.objects.all().delete()
    forget()
    accounts, uuids, at = [make_account(), make_account()], [uuid4() for _ in range(8)], NOW
    with time_machine.travel(at, tick=False) as clock:
        for batch in batches:
            for which, later, total, status, model, profile, successful in batch:
                at += timedelta(minutes=later)
                clock.move_to(at)
                looks = {"status": status, "is_task_successful": successful}
                seen = reading(uuids[which], at, total, model=model, profile_id=profile, **looks)
                apply_answers(accounts[which % 2], [seen])
            agrees(asked(range="all"))
        agrees(asked(range="all", model="a"))
        agrees(asked(range="all", profile="none", outcome="failed"))
        agrees(asked(**{"from": "2026-11-24", "to": "2026-11-24"}, account=str(accounts[1].pk)))


def test_an_answer_that_is_committed_late_is_not_missed(time_machine):
    """Asked for before the ledger was opened, written after it."""
    time_machine.move_to(NOW, tick=False)
    account, uuid = make_account(), uuid4()
    apply_answers(account, [reading(uuid, NOW - OVERLAP, 100)])
    agrees(asked(range="all"))
    apply_answers(account, [reading(uuid, NOW - OVERLAP + MINUTE, 170)])
    agrees(asked(range="all"))
    with opened() as ledger:
        assert ledger.known_microusd == 170


def test_a_session_with_a_lower_number_that_shows_later_finds_its_place():
    """Two workers insert at once: whose number is lower may be the later to commit."""
    first, second, third = (spend([(NOW, cost)]) for cost in (100, 20, 3))
    hours = list(CostHour.objects.filter(session=second))
    AgentSession.objects.filter(pk=second.pk).update(changed_at=NOW)
    hidden = AgentSession.objects.get(pk=second.pk)
    hidden.delete()
    agrees(asked(range="all"))
    hidden.pk = second.pk
    hidden.changed_at = NOW + timedelta(days=900)
    hidden.save(force_insert=True)
    CostHour.objects.bulk_create(hours)
    agrees(asked(range="all"))
    with opened() as ledger:
        assert ledger.sessions["pk"].tolist() == [first.pk, second.pk, third.pk]


def test_inside_a_block_it_is_the_same_ledger_of_the_same_moment():
    spend([(NOW, 100)])
    with opened() as outer:
        spend([(NOW, 50)])
        with opened() as inner:
            assert inner is outer
            assert inner.known_microusd == 100
    with opened() as later:
        assert later.known_microusd == 150


def test_a_failure_inside_leaves_it_usable():
    spend([(NOW, 100)])
    with pytest.raises(ZeroDivisionError), opened():
        1 / 0  # noqa: B018
    agrees(asked(range="all"))


def test_a_ledger_that_was_forgotten_is_read_again():
    spend([(NOW, 100)])
    agrees(asked(range="all"))
    forget()
    agrees(asked(range="all"))


def test_a_failure_while_it_reads_is_made_up_for_at_the_next_look(monkeypatch, time_machine):
    """Half of what changed may be in: then all of it is read again."""
    time_machine.move_to(NOW + MINUTE, tick=False)
    session = spend([(NOW, 100)])
    agrees(asked(range="all"))
    spend([(NOW + MINUTE, 170)], uuid=session.uuid)
    with monkeypatch.context() as broken:
        broken.setattr("sessions_app.costs.bookkeeper._bookings", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError), opened():
            pass
    agrees(asked(range="all"))


@pytest.mark.parametrize("moment", [datetime.min, datetime(1969, 7, 20), datetime.max])
def test_moments_at_the_ends_of_time_are_only_moments(moment):
    odd, usual = spend([(NOW, 100)]), spend([(NOW, 50)])
    AgentSession.objects.filter(pk=odd.pk).update(
        created_at=moment.replace(tzinfo=UTC), ended_at=moment.replace(tzinfo=UTC)
    )
    agrees(asked(range="all"))
    with opened() as ledger:
        newest = ledger.select(None, None, ()).page("created_s", 0, 2, descending=True)
    assert newest == ([odd.pk, usual.pk] if moment == datetime.max else [usual.pk, odd.pk])


@pytest.mark.parametrize("by", ["steps", "created_s"])
def test_pages_of_equals_hold_each_once_in_both_directions(by):
    sessions = [
        spend([(NOW, 1 + number)], step_count=number // 5, created_at=NOW - (number % 3) * MINUTE)
        for number in range(20)
    ]
    key = {"steps": lambda one: one.step_count, "created_s": lambda one: one.created_at}[by]
    right = [one.pk for one in sorted(sessions, key=lambda one: (key(one), one.pk))]
    with opened() as ledger:
        chosen = ledger.select(None, None, ())
        pages = [chosen.page(by, begin, 7, descending=False) for begin in (0, 7, 14, 21)]
        assert list(chain(*pages)) == right
        pages = [chosen.page(by, begin, 7, descending=True) for begin in (0, 7, 14, 21)]
        assert list(chain(*pages)) == right[::-1]


LONG = "Reconcile the invoices of "
TITLES = st.one_of(
    st.sampled_from(
        ["", "a", "A", "ä", "Ä", "\U0001f600", LONG, LONG.upper(), LONG + "\uffff", "İ", "ß", "\x00"]
    ),
    st.text(st.sampled_from("aAbé0\U0001f600"), max_size=3).map(lambda end: LONG + end),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TITLES, min_size=1, max_size=30), st.integers(1, 9), st.booleans())
def test_titles_page_by_page_from_a_to_z_and_back(titles, length, descending):
    """Also where many begin alike, or are the same."""
    AgentSession.objects.all().delete()
    forget()
    account = make_account()
    for title in titles:
        spend([(NOW, 1)], account, title=title.replace("\0", ""))
    known = AgentSession.objects.values_list("pk", "title")
    wanted = [pk for _, pk in sorted(((title.lower(), pk) for pk, title in known), reverse=descending)]
    with opened() as ledger:
        chosen = ledger.select(None, None, ())
        pages = [
            by_title(chosen, begin, length, descending=descending)
            for begin in range(0, len(titles) + length, length)
        ]
    assert [pk for page in pages for pk in page] == wanted
