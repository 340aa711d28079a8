"""Roles, the one-time link, and the first admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command

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
    again = client.get(address)
    assert again.status_code == 410
    assert "no longer works" in again.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_spent_link_leaves_whoever_is_signed_in_signed_in(client):
    ada = User.objects.create_superuser("ada")
    address = f"/accounts/link/{make_token(ada)}/"
    client.get(address)
    assert client.get(address)["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_a_new_link_is_made_on_the_server(client, capsys):
    User.objects.create_superuser("ada")
    call_command("sign_in_link", address="https://floor.example")
    link = capsys.readouterr().out.strip()
    assert link.startswith("https://floor.example/accounts/link/")
    assert client.get(link.removeprefix("https://floor.example"))["Location"] == "/"


def test_nobody_has_no_link():
    with pytest.raises(CommandError, match="no active nina"):
        call_command("sign_in_link", "nina")


@pytest.mark.parametrize("token", ["1.nonsense", "abc", "9" * 40 + ".x", "1"])
def test_a_made_up_link_signs_nobody_in(client, token):
    User.objects.create_superuser("ada")
    assert client.get(f"/accounts/link/{token}/").status_code == 410
    assert "_auth_user_id" not in client.session


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


def test_permissions_of_ones_own_and_of_groups_are_one_query(django_assert_num_queries):
    lead = User.objects.create_user("lena")
    lead.groups.add(Group.objects.get(name="lead"))
    lead.user_permissions.add(Permission.objects.get(codename="stop_task"))
    lena = User.objects.get(username="lena")
    with django_assert_num_queries(1):
        mine = {name for name in lena.get_all_permissions() if name.startswith("sessions_app.")}
        assert sight_of(lena) == sight_of(lena) == Sight(see_costs=True, watch_live=True, stop_task=True)
    assert mine == {"sessions_app.see_costs", "sessions_app.watch_live", "sessions_app.stop_task"}


def test_who_is_shut_out_may_nothing_and_who_is_above_all_anything():
    shut = User(username="sid", is_active=False, is_superuser=True)
    assert sight_of(shut) == Sight()
    assert sight_of(User(username="root", is_superuser=True)) == Sight(*[True] * len(Sight._fields))
