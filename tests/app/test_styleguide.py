"""The styleguide: for who, and that it shows every state."""

import re
from collections import Counter

import pytest
from django.contrib.auth.models import User

from sessions_app.models import AgentSession
from sessions_app.queries.samples import STATES

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(client) -> str:
    client.force_login(User.objects.create_superuser("ada"))
    response = client.get("/styleguide/")
    assert response.status_code == 200
    return response.content.decode()


def test_who_is_no_staff_finds_nothing(client):
    client.force_login(User.objects.create_user("vera"))
    assert client.get("/styleguide/").status_code == 404


def test_with_debug_everybody_who_is_signed_in_sees_it(client, settings):
    settings.DEBUG = True
    client.force_login(User.objects.create_user("vera"))
    assert client.get("/styleguide/").status_code == 200


def test_it_shows_every_state_in_both_themes_and_stores_nothing(guide):
    for theme in ("light", "dark"):
        assert f'data-theme="{theme}"' in guide
    for word, _ in STATES:
        assert guide.count(f">\nA session: {word}\n<") == 8 or word == "starting", word
    for empty in ("match", "none", "never", "failing", "paused", "account"):
        assert guide.count(f'data-empty="{empty}"') == 2, empty
    for sample in ("gone", "forbidden", "error", "calm"):
        assert guide.count(f'data-sample="{sample}"') == 2, sample
    assert AgentSession.objects.count() == 0


def test_no_id_stands_twice(guide):
    ids = Counter(re.findall(r'\sid="([^"]+)"', guide))
    assert {one: number for one, number in ids.items() if number > 1} == {}
