"""What one session, a step and a minute cost, and what went on being spent after a stop was asked for."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.costs.bookkeeper import forget, opened
from sessions_app.costs.each import AfterStops, after_stops
from sessions_app.costs.report import report
from sessions_app.models import AgentSession, CostHour, StopRequest
from tests.app.test_costs import asked, person
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def ended(session: AgentSession, minutes: float, steps: int) -> AgentSession:
    columns = {"status": "stopped", "is_live": False, "step_count": steps}
    times = {"created_at": NOW - HOUR, "ended_at": NOW - HOUR + minutes * MINUTE}
    AgentSession.objects.filter(pk=session.pk).update(**columns, **times)
    return session


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=25))
def test_shares_of_sessions_by_what_they_spent(costs):
    CostHour.objects.all().delete()
    forget()
    for cost in costs:
        spend([(NOW, cost)])
    found = report(asked()).each
    for value, part in ((found.half, 0.5), (found.ninety, 0.9)):
        assert value in costs
        assert sum(cost <= value for cost in costs) >= part * len(costs)
        assert sum(cost < value for cost in costs) < part * len(costs)
    assert found.most == max(costs)


def test_only_what_was_spent_in_the_stretch_ranks():
    spend([(NOW - 100 * HOUR, 900), (NOW, 910)])
    spend([(NOW, 20)])
    found = report(asked(range="today")).each
    assert (found.half, found.most) == (10, 20)


def test_a_step_and_a_minute_of_those_that_ended():
    ended(spend([(NOW - HOUR, 600)]), minutes=10, steps=4)
    ended(spend([(NOW - HOUR, 300)]), minutes=20, steps=5)
    spend([(NOW, 99_999)], step_count=1)
    found = report(asked()).each
    assert (found.per_step, found.per_minute) == (100, 30)


def test_steps_that_no_agent_makes_and_ends_before_the_beginning_spoil_no_mean():
    ended(spend([(NOW - HOUR, 600)]), minutes=10, steps=6)
    ended(spend([(NOW - HOUR, 5)]), minutes=10, steps=2**63 - 1)
    ended(spend([(NOW - HOUR, 2**62)]), minutes=10, steps=1)
    ended(spend([(NOW - HOUR, 40)]), minutes=-30, steps=0)
    found = report(asked()).each
    assert (found.per_step, found.per_minute) == (100, 60)


def test_nothing_spent_has_no_shares():
    assert report(asked()).each is None


def test_nobody_ended_no_mean():
    spend([(NOW, 5)])
    found = report(asked()).each
    assert (found.half, found.per_step, found.per_minute) == (5, None, None)


# ---- while idle ----------------------------------------------------------------------------------------


def live(*looks: tuple[str, int]) -> None:
    """A session that is looked at each minute: (status, total)."""
    uuid = uuid4()
    for minute, (status, total) in enumerate(looks):
        spend([(NOW - HOUR + minute * MINUTE, total)], uuid=uuid, status=status)


@pytest.mark.parametrize(
    ("looks", "idle"),
    [
        ([("idle", 100), ("idle", 130), ("idle", 170)], 70),
        ([("idle", 100), ("stopped", 130)], 30),  # it waited to its end
        ([("idle", 100), ("running", 130)], 0),  # it may have begun right after the first look
        ([("running", 100), ("idle", 130)], 0),  # or have ended right before the second
        ([("idle", 100), ("running", 130), ("idle", 180), ("idle", 185)], 5),
        ([("idle", 100), ("idle", 90), ("idle", 120)], 20),  # what fell comes off
        ([("stopped", 100), ("stopped", 120)], 0),  # settled after its end
        ([("created", 0), ("created", 3)], 0),
    ],
)
def test_only_what_two_looks_saw_idle_counts_as_idle(looks, idle):
    live(*looks)
    answer = report(asked())
    assert answer.total.idle == idle
    assert answer.total.total == looks[-1][1]


def test_the_page_and_the_files_say_what_idle_sessions_cost(client):
    live(("idle", 100_000), ("idle", 430_000))
    client.force_login(person("lena", "lead"))
    html = client.get("/costs/?range=all").content.decode()
    assert re.findall(r'data-idle-microusd="(\d+)"', html) == ["330000"]
    assert "77 %, for sessions that waited" in html


# ---- after a stop --------------------------------------------------------------------------------------


def stop(session: AgentSession, click: int | None, proof: int | None, at=NOW - HOUR) -> None:
    StopRequest.objects.create(
        session=session,
        strategy="session",
        state="confirmed",
        requested_by_name="ana",
        requested_at=at,
        due_at=at,
        cost_at_click_microusd=click,
        cost_at_proof_microusd=proof,
    )


def test_what_was_spent_between_click_and_proof():
    one, other = spend([(NOW, 500)], model="gpt-x"), spend([(NOW, 500)])
    stop(one, 100, 350)
    stop(one, 400, 390)  # a total that fell costs nothing
    stop(other, 100, 101)
    stop(other, 100, None)
    stop(other, None, 100)
    stop(other, 0, 77, at=NOW - 9 * 24 * HOUR)
    with opened() as ledger:
        assert after_stops(ledger, asked()) == AfterStops(3, 251)
        assert after_stops(ledger, asked(model="gpt-x")) == AfterStops(2, 250)
        assert after_stops(ledger, asked(model="never heard of")) == AfterStops(0, 0)
        assert after_stops(ledger, asked(range="all")) == AfterStops(4, 328)


def test_the_page_shows_it(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    session = ended(spend([(NOW - HOUR, 600)]), minutes=10, steps=4)
    stop(session, 100, 350)
    client.force_login(person("lena", "lead"))
    html = client.get("/costs/").content.decode()
    shown = dict(re.findall(r'data-(half|ninety|most|step|minute|after-stops)-microusd="(\d+)"', html))
    assert shown == {
        "half": "600",
        "ninety": "600",
        "most": "600",
        "step": "150",
        "minute": "60",
        "after-stops": "250",
    }
