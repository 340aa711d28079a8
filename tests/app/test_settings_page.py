"""Settings: for whoever keeps the floor running.  And the pages at the door, and those that say no."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from sessions_app.models import AuditEntry
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def person(name: str, role: str, **more: object) -> User:
    user = User.objects.create_user(name, **more)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def max_(client):
    """An admin by role: may manage, but is no superuser."""
    client.force_login(person("max", "admin"))
    return client


@pytest.fixture
def ada(client):
    client.force_login(User.objects.create_superuser("ada", password="correct-horse"))
    return client


def page(client: Client, path: str = "/settings/") -> str:
    return client.get(path).content.decode()


# ---- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "operator", "support", "lead"])
def test_settings_are_for_who_may_manage(client, role):
    client.force_login(person("vera", role))
    answer = client.get("/settings/")
    assert answer.status_code == 403
    assert "people who may change accounts, people and settings" in answer.content.decode()


def test_an_account_that_cannot_be_read_says_what_to_do(max_):
    make_account(
        name="Production",
        failing_since=timezone.now() - timedelta(minutes=7),
        failures=9,
        error="The key was refused. Set another BROWSER_USE_API_KEY.",
    )
    html = page(max_)
    assert 'data-state="failing"' in html
    assert "9 times in a row" in html
    assert "Set another BROWSER_USE_API_KEY" in html


def test_an_account_is_told_in_full_but_for_its_key(max_):
    account = make_account(api_key="bu_very_secret", concurrent_browsers=25, balance_microusd=12_340_000)
    make_session(account=account)
    make_session(account=account, status="stopped")
    html = page(max_)
    assert "2 known, 1 live" in html
    assert "at most 25" in html
    assert "not a request rate" in html
    assert "$12.34" in html
    assert "bu_very_secret" not in html


def test_records_that_nobody_could_read_are_shown_as_they_are(max_):
    make_account(set_aside=[{"uuid": "x", "error": "<b>no id</b>"}])
    html = page(max_)
    assert "1 record of the last sweep could not be read" in html
    assert "<b>no id" not in html


def test_a_broker_that_is_away_is_said_and_the_page_stands(max_, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    assert "The broker does not answer" in page(max_)


def test_queries_do_not_grow_with_the_floor(max_, django_assert_max_num_queries):
    for number in range(6):
        make_session(account=make_account())
        person(f"person-{number}", "viewer")
    with django_assert_max_num_queries(20):
        page(max_)


def test_only_staff_is_led_to_the_admin_pages(max_, ada):
    assert "/admin/auth/user/" in page(ada)
    ada.force_login(User.objects.get(username="max"))
    assert "/admin/auth/user/" not in page(ada)


# ---- Django's admin --------------------------------------------------------------------------------


def test_the_admin_pages_show_no_key(ada):
    account = make_account(api_key="bu_very_secret")
    html = page(ada, f"/admin/sessions_app/account/{account.pk}/change/")
    assert account.slug in html
    assert "bu_very_secret" not in html


@pytest.mark.parametrize("model", ["account", "stoprequest", "auditentry"])
def test_records_are_read_only_even_for_superusers(ada, model):
    assert ada.get(f"/admin/sessions_app/{model}/").status_code == 200
    assert ada.get(f"/admin/sessions_app/{model}/add/").status_code == 403


def test_an_audit_entry_cannot_be_deleted(ada):
    entry = AuditEntry.objects.create(at=timezone.now(), action="stop.requested", actor_name="sam")
    ada.post(f"/admin/sessions_app/auditentry/{entry.pk}/delete/", {"post": "yes"})
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_the_admin_pages_have_no_second_door(client):
    """Django's own form would know no limit on wrong passwords."""
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")


# ---- the door --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["signup/", "email/", "confirm-email/", "reauthenticate/", "password/reset/", "password/reset/done/"],
)
def test_doors_that_are_not_used_are_closed(client, path):
    assert client.get(f"/accounts/{path}").status_code == 404


def test_the_form_offers_no_mail_that_nobody_sends(client):
    html = page(client, "/accounts/login/")
    assert "Forgot your password" not in html
    assert "door-card" in html


def test_who_came_by_a_link_sets_a_password(client):
    user = User.objects.create_superuser("ada")
    client.force_login(user)
    assert "door-card" in page(client, "/accounts/password/set/")
    new = {"password1": "a-long-enough-one", "password2": "a-long-enough-one"}
    client.post("/accounts/password/set/", new)
    user.refresh_from_db()
    assert user.check_password("a-long-enough-one")


def test_a_password_is_changed(ada):
    assert "door-card" in page(ada, "/accounts/password/change/")
    ada.post(
        "/accounts/password/change/",
        {"oldpassword": "correct-horse", "password1": "another-horse-1", "password2": "another-horse-1"},
    )
    assert User.objects.get(username="ada").check_password("another-horse-1")


@pytest.mark.parametrize("path", ["/accounts/logout/", "/accounts/inactive/"])
def test_the_other_pages_at_the_door_are_dressed(ada, path):
    assert "door-card" in page(ada, path)


# ---- pages that say no -----------------------------------------------------------------------------


def test_an_address_that_leads_nowhere(ada):
    answer = ada.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_a_forged_form_is_refused_in_words():
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/accounts/login/", {"login": "ada", "password": "x"})
    assert answer.status_code == 403
    assert "This form was not accepted" in answer.content.decode()


def test_a_page_that_failed_needs_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        html = render_to_string("500.html")
    assert "This page failed" in html
    assert "<style" not in html and "style=" not in html  # our CSP would drop them
