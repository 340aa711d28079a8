"""What the history can be filtered by is read from all sessions once, and stays true."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import AgentSession
from sessions_app.queries.kinds import forget, kinds
from tests.support.factories import make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

LONG_AGO = timezone.now() - timedelta(days=3)


def test_what_comes_later_is_found():
    make_session(model="bu-mini", proxy_country="de", changed_at=LONG_AGO)
    assert kinds() == {("bu-mini", "de")}
    make_session(model="gpt-x", proxy_country="")
    assert kinds() == {("bu-mini", "de"), ("gpt-x", "")}


def test_a_session_that_changes_its_model_is_found():
    session = make_session(model="bu-mini", proxy_country="", changed_at=LONG_AGO)
    kinds()
    AgentSession.objects.filter(pk=session.pk).update_shown(timezone.now(), model="bu-ultra")
    assert ("bu-ultra", "") in kinds()


def test_only_what_changed_is_read_again():
    session = make_session(model="bu-mini", proxy_country="", changed_at=LONG_AGO)
    kinds()
    AgentSession.objects.filter(pk=session.pk).update(model="never heard of")  # nothing that shows changes so
    assert kinds() == {("bu-mini", "")}
    forget()
    assert kinds() == {("never heard of", "")}
