"""The live floor: what it shows, in which order, and what one may ask it for."""

import pytest
from django.contrib.auth.models import Group, User

from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def operator(client) -> User:
    return sign_in(client, "olga", "operator")


def sign_in(client, name: str, role: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


def test_what_lives_is_shown(client, operator):
    session = make_session(title="Compare three offers")
    html = client.get("/").content.decode()
    assert "Compare three offers" in html
    assert f'data-session-id="{session.uuid}"' in html
