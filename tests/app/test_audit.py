"""The audit trail: complete, in order, and tamper-evident."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from sessions_app.access import anchor, audit
from sessions_app.access.links import make_token
from sessions_app.models import AuditEntry
from tests.support.factories import make_session
from tests.support.stage import person
from tests.support.tampering import guarded

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def trail() -> list[AuditEntry]:
    ana, session = person("ana", "operator"), make_session()
    audit.record(None, "floor.started")
    audit.record(
        ana,
        "stop.requested",
        session,
        stop=1,
        reason="“wild” \U0001f600 \u202e",
        nested={"b": [1, None], "a": True},
    )
    return [
        *AuditEntry.objects.order_by("pk"),
        audit.record(ana, "stop.joined", session),
        audit.record(None, "stop.ended"),
    ]


def test_an_entry_says_who_what_and_on_what(trail):
    entry = AuditEntry.objects.get(action="stop.requested")
    assert (entry.actor_name, entry.actor.username, entry.detail["stop"]) == ("ana", "ana", 1)
    assert AuditEntry.objects.get(action="floor.started").actor is None


def test_an_untouched_trail_holds(trail):
    assert audit.verify() == audit.Verdict(4, None, trail[-1].chain)
    assert len({entry.chain for entry in trail}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"actor_name": "bo"}, {"actor": None}, {"action": "stop.undone"}, {"detail": {"stop": 2}}, {"session": None},
        {"chain": "0" * 64},
    ],
)  # fmt: skip
def test_a_changed_entry_is_named(trail, change):
    AuditEntry.objects.filter(pk=trail[1].pk).update(**change)
    assert audit.verify().bad == trail[1].pk


def test_a_moved_moment_is_noticed(trail):
    AuditEntry.objects.filter(pk=trail[1].pk).update(at=timezone.now() - timedelta(microseconds=1))
    assert audit.verify().bad == trail[1].pk


def test_a_missing_entry_is_noticed_at_the_next(trail):
    trail[1].delete()
    assert audit.verify().bad == trail[2].pk


def test_an_entry_put_in_between_is_noticed(trail):
    forged = AuditEntry(at=timezone.now(), action="stop.forged", chain="f" * 64)
    forged.save()
    assert audit.verify().bad == forged.pk


def test_the_command_says_so(trail, capsys):
    call_command("verify_audit")
    assert "4 entries, all as they were written" in capsys.readouterr().out
    AuditEntry.objects.filter(pk=trail[2].pk).update(action="nothing")
    with pytest.raises(CommandError, match=f"entry {trail[2].pk} "):
        call_command("verify_audit")


# ---- the database itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tamper",
    [
        lambda entries: entries.update(action="nothing"),
        lambda entries: entries.delete(),
        lambda entries: entries._raw_delete(entries.db),
    ],
)
def test_the_database_refuses_to_change_or_to_delete_an_entry(trail, tamper):
    with guarded():
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            tamper(AuditEntry.objects.filter(pk=trail[1].pk))
        audit.record(None, "stop.ended")
    assert audit.verify().entries == 5 and audit.verify().bad is None


@pytest.mark.postgres
def test_the_table_cannot_be_emptied_at_once(trail):
    with guarded(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or PostgreSQL refuses for a reason of its own
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            cursor.execute("TRUNCATE sessions_app_auditentry")
    assert AuditEntry.objects.count() == 4


def test_migrating_puts_the_triggers_there(tmp_path):
    """In a database of its own: that of the tests has them taken away."""
    file = tmp_path / "fresh.sqlite3"
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{file}", "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment, check=True, timeout=300)
    with contextlib.closing(sqlite3.connect(file)) as fresh:
        names = {name for (name,) in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert {"sessions_app_auditentry_no_update", "sessions_app_auditentry_no_delete"} <= names


# ---- anchors ---------------------------------------------------------------------------------------


@pytest.fixture
def data_dir(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_the_head_is_written_down_when_it_moved(data_dir, trail):
    assert anchor.drop() == (trail[-1].pk, trail[-1].chain)
    assert anchor.drop() is None
    last = audit.record(None, "stop.ended")
    assert anchor.drop() == (last.pk, last.chain) and len(list(anchor.read())) == 2


def test_without_entries_there_is_no_anchor(data_dir, db):
    assert anchor.drop() is None and not anchor.path().exists()


def test_a_cut_at_the_end_is_noticed(data_dir, trail):
    anchor.drop()
    assert anchor.broken() is None
    AuditEntry.objects.filter(pk=trail[-1].pk).delete()
    assert audit.verify().bad is None  # the chain alone cannot tell
    assert anchor.broken() == (trail[-1].pk, trail[-1].chain)
    with pytest.raises(CommandError, match="cut off or written anew"):
        call_command("verify_audit")


def test_an_end_that_was_written_anew_is_noticed(data_dir, trail):
    anchor.drop()
    AuditEntry.objects.filter(pk=trail[-1].pk).delete()
    audit.record(None, "stop.never_happened")
    assert audit.verify().bad is None and anchor.broken()


def test_a_line_that_was_cut_short_costs_one_anchor(data_dir, trail):
    anchor.path().write_text('{"entry": 1, "cha\n[]\n')
    assert anchor.drop() and len(list(anchor.read())) == 1 and anchor.broken() is None


# ---- people ----------------------------------------------------------------------------------------


def acts() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor_name", "action"))


def test_signing_in_out_and_failing_to(client):
    person("ana", "operator")
    form = {"login": "ana", "password": "wrong-password"}
    client.post("/accounts/login/", form)
    client.post("/accounts/login/", {"login": "hunter2hunter2", "password": "typed into the wrong field"})
    client.post("/accounts/login/", form | {"password": "correct-horse"})
    client.post("/accounts/logout/")
    assert acts() == [("", "person.refused"), ("ana", "person.signed_in"), ("ana", "person.signed_out")]


def test_a_role_that_is_given_in_the_admin_pages(client):
    boss, bo = person("boss", "admin"), person("bo", "viewer")
    User.objects.filter(pk=boss.pk).update(is_superuser=True, is_staff=True)
    client.force_login(User.objects.get(pk=boss.pk))
    form = {
        "username": "bo", "groups": [Group.objects.get(name="operator").pk], "is_active": "on",
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
    }  # fmt: skip
    answer = client.post(f"/admin/auth/user/{bo.pk}/change/", form)
    assert answer.status_code == 302
    entry = AuditEntry.objects.get(action="admin.changed")
    assert (entry.actor_name, entry.detail["object"]) == ("boss", "bo") and "roups" in entry.detail["what"]


def test_coming_by_a_link(client):
    link = make_token(person("ana", "operator"))
    client.get(f"/accounts/link/{link}/")
    client.get(f"/accounts/link/{link}/")
    assert acts() == [("ana", "person.signed_in")] and AuditEntry.objects.get().detail == {"by": "link"}
