"""Figures of one page come from one moment, also while the poller writes."""

import threading

import pytest
from django.db import connection

from sessions_app.costs.reading import one_moment
from sessions_app.models import CostHour
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def in_another_process(work) -> None:
    """As good as one: another thread has a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "whoever reads must hold up nobody who writes"


def test_what_is_written_meanwhile_is_seen_by_the_next_page():
    spend([(NOW, 100)])
    with one_moment():
        assert CostHour.objects.count() == 1
        in_another_process(lambda: spend([(NOW, 50)]))
        assert CostHour.objects.count() == 1
    assert CostHour.objects.count() == 2


def test_a_failure_inside_leaves_the_connection_usable():
    with pytest.raises(ZeroDivisionError), one_moment():
        CostHour.objects.count()
        1 / 0  # noqa: B018
    spend([(NOW, 100)])
    assert CostHour.objects.count() == 1
