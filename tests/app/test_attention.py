"""Who needs a person, after each sweep, because time alone can make a session stall."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from sessions_app.models import Account, AgentSession
from sessions_app.polling import attention, cooling
from sessions_app.polling.ingest import apply_answers
from sessions_app.simulator.testing import running_simulator
from tests.support.answers import NOON, answer, at
from tests.support.sweeping import account_of, backdate, swept

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
MINUTES = 60


@pytest.fixture
def account() -> Account:
    return Account.objects.create(slug="a", name="A", base_url="http://127.0.0.1:1", api_key="k")


def codes(**filters) -> list[list[str]]:
    rows = AgentSession.objects.filter(**filters).order_by("pk")
    return [[entry["code"] for entry in row.attention] for row in rows]


def test_time_alone_makes_a_running_session_stall_and_a_step_ends_it(account):
    apply_answers(account, [answer(0)])
    assert attention.refresh(account, at(110)) == []
    [pk] = attention.refresh(account, at(130))
    session = AgentSession.objects.get()
    assert session.attention == [{"code": "stalled", "since": NOON.isoformat()}]
    assert session.attention_rank == 30 and session.version == 2 and pk == session.pk
    assert attention.refresh(account, at(140)) == [], "the same trouble is written once"
    apply_answers(account, [answer(150, step_count=1)])
    attention.refresh(account, at(151))
    assert codes() == [[]] and AgentSession.objects.get().attention_rank == 0


def test_an_idle_browser_is_paid_for(account):
    apply_answers(account, [answer(0, status="idle", live_url="https://l/"), answer(0, 2, status="idle")])
    attention.refresh(account, at(9 * MINUTES))
    assert codes() == [[], []]
    attention.refresh(account, at(11 * MINUTES))
    assert codes() == [["idle_paid"], []]


def test_who_spends_far_above_its_models_median(account):
    def spent(seconds: int, times: int = 1) -> list:
        return [
            answer(
                seconds, n, step_count=seconds, total_cost_microusd=seconds * 500 * (times if n == 1 else 1)
            )
            for n in range(1, 6)
        ]

    for seconds in range(0, 80, 10):
        apply_answers(account, spent(seconds, times=12))
    attention.refresh(account, at(75))
    assert codes() == [["burning"], [], [], [], []]
    assert AgentSession.objects.get(attention_rank__gt=0).attention[0]["times"] == 10


def test_whoever_ended_has_no_attention_and_gets_none(account):
    apply_answers(account, [answer(0, max_cost_microusd=100, total_cost_microusd=99)])
    attention.refresh(account, at(5))
    assert codes() == [["near_cap"]]
    apply_answers(account, [answer(9, status="stopped", max_cost_microusd=100, total_cost_microusd=99)])
    assert codes() == [[]]
    assert attention.refresh(account, at(300)) == []


def test_a_crowd_costs_three_questions(account, django_assert_max_num_queries):
    apply_answers(account, [answer(0, n) for n in range(1, 80)])
    with django_assert_max_num_queries(6):  # the sixth locks, on PostgreSQL
        assert len(attention.refresh(account, at(200))) == 79


def test_a_rate_cools_when_nothing_is_spent(account):
    for seconds in (0, 30, 60):
        apply_answers(account, [answer(seconds, step_count=seconds, total_cost_microusd=seconds * 1_000)])
    hot = AgentSession.objects.get().burn_microusd_per_min
    assert cooling.cool(account, at(100)) == [] and hot > 50_000
    cooling.cool(account, at(181))
    assert AgentSession.objects.get().burn_microusd_per_min < hot / 5
    for later in range(400, 3_000, 130):
        cooling.cool(account, at(later))
    assert AgentSession.objects.get().burn_microusd_per_min == 0
    assert cooling.cool(account, at(9_000)) == []


def test_with_upstream_down_nobody_seems_to_stall():
    with running_simulator(sessions=0, clock="manual") as sim:
        sim.running_session()
        account = swept(account_of(sim))
        backdate(progress_at=600, first_seen_at=600)
        sim.faults.set(server_error=1)
        swept(account)
        assert codes() == [[]]
        sim.faults.clear()
        swept(account)
        assert codes() == [["stalled"]]


def test_the_runaways_of_the_floor_are_found_and_ordinary_sessions_are_not():
    """Three minutes of a simulated floor, swept every two seconds of its time."""
    with running_simulator(
        sessions=40, clock="manual", start_ms=int(timezone.now().timestamp() * 1000)
    ) as sim:
        account = account_of(sim)
        flagged: dict[str, set[str]] = {}
        began = timezone.now()
        for seconds in range(0, 180, 2):
            with time_machine.travel(began + timedelta(seconds=seconds), tick=True):
                swept(account)
            for row in AgentSession.objects.filter(attention_rank__gt=0):
                flagged.setdefault(str(row.uuid), set()).update(e["code"] for e in row.attention)
            sim.advance(2)
        cast = {part: flagged.get(uuid, set()) for part, uuid in sim.world.cast.items()}
        assert (
            cast["loop"] >= {"repeating"} and "stalled" in cast["stalled"] and "near_cap" in cast["near_cap"]
        )
        others = {uuid: why for uuid, why in flagged.items() if uuid not in sim.world.cast.values()}
        assert len(others) <= 1, others
