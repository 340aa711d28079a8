"""What an outcome's figure stands for can be looked at: the whole page, narrowed to it."""

import re

import pytest

from sessions_app.costs.books import bookings
from sessions_app.costs.outcome import OUTCOMES
from sessions_app.costs.report import report
from sessions_app.models import AgentSession
from sessions_app.types import Status
from tests.app.test_costs import asked, person
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

LOOKS = [
    (status, successful, is_live)
    for status in [*Status, "hibernating"]
    for successful in (None, True, False)
    for is_live in (True, False)
]


def one_of_each() -> None:
    """A session of every status, judged and not, alive and not; each spent another sum."""
    for number, (status, successful, is_live) in enumerate(LOOKS):
        session = spend([(NOW, 2**number % 1_000_003 + number)])
        AgentSession.objects.filter(pk=session.pk).update(
            status=status, is_task_successful=successful, is_live=is_live
        )


@pytest.mark.parametrize("outcome", [one.key for one in OUTCOMES])
def test_the_filter_selects_the_sessions_that_the_figure_counts(outcome):
    one_of_each()
    everything = {
        one.outcome.key: (one.sessions, one.microusd) for one in report(asked(range="all")).outcomes
    }
    narrowed = report(asked(range="all", outcome=outcome))
    assert [(one.outcome.key, (one.sessions, one.microusd)) for one in narrowed.outcomes] == [
        (outcome, everything[outcome])
    ]
    assert narrowed.total.total == everything[outcome][1]


def test_all_outcomes_together_are_everything():
    one_of_each()
    parts = [set(bookings(asked(range="all", outcome=one.key)).values_list("pk")) for one in OUTCOMES]
    assert set.union(*parts) == set(bookings(asked(range="all")).values_list("pk"))
    assert sum(map(len, parts)) == len(LOOKS), "and none is two"


@pytest.mark.parametrize("value", ["", "none", "lost", "succeeded'--", "x" * 200])
def test_an_outcome_that_there_is_not_is_no_filter(value):
    assert asked(outcome=value).only == ()


def test_rows_cells_and_heads_lead_to_their_sessions(client):
    failed = spend([(NOW, 300_000)], model="gpt-x")
    AgentSession.objects.filter(pk=failed.pk).update(
        status="stopped", is_task_successful=False, is_live=False
    )
    spend([(NOW, 50)], model="other")
    client.force_login(person("lena", "lead"))
    html = client.get("/costs/?range=all&rows=model&columns=outcome").content.decode()
    assert 'href="?range=all&amp;rows=model&amp;columns=outcome&amp;outcome=failed"' in html
    cells = re.findall(r'<a href="(\?[^"]+)">\$0\.30</a>', html)
    both = next(cell for cell in cells if "model=gpt-x" in cell and "outcome=failed" in cell)
    page = client.get("/costs/" + both.replace("&amp;", "&")).content.decode()
    assert re.findall(r'data-total-microusd="(\d+)"', page) == ["300000"]
    assert f'data-session-id="{failed.uuid}"' in page
    assert "outcome: <b>Task failed</b>" in page
