"""The audit trail: complete, in order, and tamper-evident."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sessions_app.access import audit
from sessions_app.models import AuditEntry
from tests.support.factories import make_session
from tests.support.stage import person

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
