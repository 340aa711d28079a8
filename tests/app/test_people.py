"""Roles, the one-time link, and the first admin."""

import pytest
from django.contrib.auth.models import Group, User

from sessions_app.access import first_run
from sessions_app.access.links import make_token
from sessions_app.access.roles import sight_of
from sessions_app.types import Sight

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def person(name: str, role: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    return User.objects.get(pk=user.pk)


def test_a_viewer_sees_no_money_and_stops_nothing():
    assert sight_of(person("vera", "viewer")) == Sight()


def test_support_stops_but_does_not_drive():
    sight = sight_of(person("sam", "support"))
    assert sight.stop_task and sight.end_session and sight.see_costs
    assert not sight.take_control


def test_a_link_signs_in_once(client):
    ada = User.objects.create_superuser("ada")
    address = f"/accounts/link/{make_token(ada)}/"
    assert client.get(address)["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ada.pk)
    client.logout()
    assert client.get(address)["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("token", ["1.nonsense", "abc", "9" * 40 + ".x", "1"])
def test_a_made_up_link_signs_nobody_in(client, token):
    User.objects.create_superuser("ada")
    assert client.get(f"/accounts/link/{token}/")["Location"] == "/accounts/login/"


def test_the_environments_admin_exists_and_follows_the_password(monkeypatch, client):
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "ada")
    for password in ("first-password", "second-password"):
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
        first_run.prepare("http://127.0.0.1:8000")
        assert client.login(username="ada", password=password)
    assert User.objects.count() == 1


def test_without_one_a_link_is_printed(monkeypatch):
    monkeypatch.delenv("DJANGO_SUPERUSER_USERNAME", raising=False)
    lines = first_run.prepare("http://127.0.0.1:8000")
    assert lines[-1].startswith("http://127.0.0.1:8000/accounts/link/")


@pytest.mark.parametrize("field", ["login", "username"])
def test_the_form_takes_both_names_of_the_field(client, field):
    User.objects.create_user("ada", password="correct-horse")
    client.post("/accounts/login/", {field: "ada", "password": "correct-horse"})
    assert "_auth_user_id" in client.session
