"""A session is called the same wherever somebody meets it: who stops one must know it again in the question."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from sessions_app.models import AgentSession
from sessions_app.polling import words
from sessions_app.queries import rows
from tests.support.factories import make_session
from tests.support.spending import spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

PAGES = (
    "/",
    "/sessions/",
    "/sessions/{}/",
    "/sessions/{}/stop/?strategy=task",
    "/costs/",
    "/palette/?q=desk",
)


@pytest.fixture
def ada() -> Client:
    rows.forget()
    user = User.objects.create_user("ada")
    user.groups.add(Group.objects.get(name="admin"))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_without_a_title_it_is_called_by_its_task(ada, page):
    session = spend([(timezone.now(), 5_000)], title=None)
    AgentSession.objects.update(task="Find a desk for two")
    words.index([session.pk])
    html = ada.get(page.format(session.uuid), follow=True).content.decode()
    assert "Find a desk for two" in html and "Untitled" not in html


def test_and_so_it_is_in_the_receipt_of_its_stop(ada):
    session = make_session(title="", task="Find a desk for two", status="running")
    ada.post(f"/sessions/{session.uuid}/stop/", {"strategy": "task", "reason": "wrong desk"})
    assert "Find a desk for two" in ada.get("/stops/").content.decode()


def test_one_of_which_nothing_is_known_is_called_by_its_id():
    session = AgentSession(uuid="6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    assert str(session) == "Untitled 6ba7b810" and session.name == ""
