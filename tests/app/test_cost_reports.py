"""Reports of costs by mail: each week once, true to the page, and only to whoever may see costs."""

import email
import email.policy
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from dashboard.mail import mailers
from sessions_app.costs import weekly
from sessions_app.models import AuditEntry, CostReport
from tests.app.test_costs import person
from tests.support.smtp import MailServer
from tests.support.spending import spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LAST_WEEK = date(2026, 11, 16)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DOLLAR = 1_000_000


@pytest.fixture
def lena():
    return person("lena", "lead")


@pytest.fixture
def server(settings, request):
    """A mail server, and the settings that name it.  Undone before the test's mailbox is looked at."""
    with MailServer() as running:
        settings.MAILERS = mailers(f"smtp://127.0.0.1:{running.port}")
        settings.MAIL_IS_SET_UP = True
        settings.PUBLIC_URL = "https://floor.example"
        yield running


def made(owner, **fields) -> CostReport:
    defaults = {
        "name": "Agents, last week",
        "to": "cfo@example.com",
        "made_at": MONDAY - 9 * DAY,
        "sent_week": LAST_WEEK - 7 * DAY,
    }
    return CostReport.objects.create(owner=owner, **defaults | fields)


def parts(server: MailServer) -> tuple[email.message.EmailMessage, str, str]:
    """The only mail, its text and its HTML."""
    ((_, recipients, raw),) = server.mails
    assert recipients == ["cfo@example.com"]
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    return mail, mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


# ---- what it says --------------------------------------------------------------------------------------


def test_it_says_what_the_page_says_of_those_days(server, lena, client):
    spend([(MONDAY - 5 * DAY, 3 * DOLLAR)], title="Dear <one>", model="gpt-x")
    spend([(MONDAY - 12 * DAY, 2 * DOLLAR)], title="Of the week before")
    spend([(MONDAY - HOUR, 50 * DOLLAR)], title="Of this week")
    made(lena)
    assert weekly.send_due(MONDAY) == 1
    mail, text, html = parts(server)
    assert mail["Subject"] == "Agents, last week: 16 Nov to 22 Nov 2026"
    assert "$3.00  ($3.00)" in text
    assert "$2.00  (+50 %)" in text
    assert "Dear <one>" in text
    assert "Dear &lt;one&gt;" in html
    assert "Of this week" not in text
    address = re.search(r"https://floor\.example(/costs/\?\S+)", text)[1]
    client.force_login(lena)
    page = client.get(address).content.decode()
    assert re.findall(r'data-total-microusd="(\d+)"', page) == [str(3 * DOLLAR)]


def test_it_keeps_to_its_filters_and_to_the_days_of_its_zone(server, lena):
    sydney_sunday = datetime(2026, 11, 15, 14, 30, tzinfo=UTC)  # Monday there
    spend([(sydney_sunday, DOLLAR)], model="gpt-x", title="Down under")
    spend([(sydney_sunday, 7 * DOLLAR)], model="other")
    made(lena, query="model=gpt-x", zone="Australia/Sydney")
    assert weekly.send_due(MONDAY) == 1
    _, text, _ = parts(server)
    assert "$1.00  ($1.00)" in text
    assert "Only model: gpt-x" in text


def test_a_week_without_spend_is_told_as_well(server, lena):
    made(lena)
    assert weekly.send_due(MONDAY) == 1
    _, text, html = parts(server)
    assert "$0.00" in text
    assert "None spent anything" in html


# ---- when, and how often -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), date(2026, 11, 9)),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), date(2026, 11, 16)),
        (datetime(2026, 11, 29, 23, 59, tzinfo=UTC), date(2026, 11, 16)),
        (datetime(2026, 11, 30, 6, 0, tzinfo=UTC), date(2026, 11, 23)),
    ],
)
def test_a_week_is_over_on_monday_at_six(now, monday):
    assert weekly.last_week("UTC", now) == monday


def test_in_its_own_zone():
    assert weekly.last_week("Asia/Tokyo", datetime(2026, 11, 22, 21, 0, tzinfo=UTC)) == date(2026, 11, 16)
    assert weekly.last_week("America/New_York", datetime(2026, 11, 23, 10, 59, tzinfo=UTC)) == date(
        2026, 11, 9
    )


def test_each_week_once_whatever_ticks(server, lena):
    made(lena)
    assert [weekly.send_due(MONDAY + n * HOUR) for n in range(5)] == [1, 0, 0, 0, 0]
    assert weekly.send_due(MONDAY + 7 * DAY) == 1
    assert len(server.mails) == 2


def test_two_timetables_at_once_send_one(server, lena, monkeypatch):
    made(lena)
    compose = weekly.compose
    inner: list[int] = []

    def meanwhile(asked, monday, now):
        if not inner:
            inner.append(-1)
            inner[0] = weekly.send_due(MONDAY)
        return compose(asked, monday, now)

    monkeypatch.setattr(weekly, "compose", meanwhile)
    assert weekly.send_due(MONDAY) == 1
    assert inner == [0]
    assert len(server.mails) == 1


def test_a_worker_that_died_while_sending_leaves_it_to_the_next(server, lena, monkeypatch):
    made(lena)
    compose = weekly.compose

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(weekly, "compose", dies)
    with pytest.raises(KeyboardInterrupt):
        weekly.send_due(MONDAY)
    monkeypatch.setattr(weekly, "compose", compose)
    assert weekly.send_due(MONDAY + timedelta(minutes=1)) == 0
    assert weekly.send_due(MONDAY + weekly.LEASE) == 1


def test_copies_of_one_mail_can_be_told(server, lena):
    report = made(lena)
    weekly.send(report, LAST_WEEK, MONDAY)
    weekly.send(report, LAST_WEEK, MONDAY + HOUR)
    ids = {email.message_from_bytes(raw)["Message-ID"] for _, _, raw in server.mails}
    assert len(ids) == 1


def test_a_failure_is_said_and_tried_again(server, lena, client):
    server.refuses = True
    report = made(lena)
    assert weekly.send_due(MONDAY) == 0
    report.refresh_from_db()
    assert report.error == "The mail server did not take it (The disk is full)."
    client.force_login(lena)
    spend([(MONDAY - HOUR, DOLLAR)])
    assert "The disk is full" in client.get("/costs/?range=all").content.decode()
    server.refuses = False
    assert weekly.send_due(MONDAY + timedelta(minutes=5)) == 0, "not at every tick"
    assert weekly.send_due(MONDAY + weekly.AGAIN_AFTER) == 1
    report.refresh_from_db()
    assert (report.error, report.sent_week) == ("", LAST_WEEK)


def test_one_that_fails_holds_up_no_other(server, lena):
    made(person("vera", "viewer"), name="A")
    made(lena, name="B")
    assert weekly.send_due(MONDAY) == 1


# ---- to whom -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["role", "active"])
def test_whoever_may_not_see_costs_any_more_gets_nothing(server, lena, change):
    report = made(lena)
    lena.groups.clear() if change == "role" else type(lena).objects.filter(pk=lena.pk).update(is_active=False)
    assert weekly.send_due(MONDAY) == 0
    assert not server.mails
    report.refresh_from_db()
    assert "may not see costs" in report.error


# ---- in the page ---------------------------------------------------------------------------------------


def test_a_lead_has_the_page_mailed_and_ends_it(client, lena, server, time_machine):
    time_machine.move_to(MONDAY, tick=False)
    spend([(MONDAY - 5 * DAY, DOLLAR)], model="gpt-x")
    client.force_login(lena)
    client.cookies["tz"] = "Europe/Berlin"
    answer = client.post(
        "/costs/mail/add/?range=30d&model=gpt-x&rows=model", {"name": "GPT", "to": "cfo@example.com"}
    )
    assert answer.status_code == 302
    report = CostReport.objects.get()
    assert (report.owner, report.query, report.zone) == (lena, "model=gpt-x", "Europe/Berlin")
    assert weekly.send_due(MONDAY + HOUR) == 0, "the first one comes next Monday"
    assert 'data-report="' in client.get("/costs/?range=all").content.decode()
    client.post(f"/costs/mail/{report.pk}/send/")
    _, text, _ = parts(server)
    assert "$1.00  ($1.00)" in text
    client.post(f"/costs/mail/{report.pk}/delete/")
    assert not CostReport.objects.exists()
    acts = AuditEntry.objects.values_list("action", flat=True)
    assert {"cost_report.added", "cost_report.deleted"} <= set(acts)


@pytest.mark.parametrize("to", ["", "nobody", "a@b\nBcc: c@d.example"])
def test_an_address_that_is_none_is_refused_in_words(client, lena, to):
    client.force_login(lena)
    answer = client.post("/costs/mail/add/", {"name": "GPT", "to": to})
    assert answer.status_code == 422
    assert not CostReport.objects.exists()


def test_without_a_mail_server_the_page_says_what_to_set(client, lena):
    client.force_login(lena)
    assert "EMAIL_URL" in client.get("/costs/mail/add/").content.decode()
    report = made(lena)
    page = client.post(f"/costs/mail/{report.pk}/send/", follow=True).content.decode()
    assert "Mail is not set up here" in page
    assert weekly.send_due(MONDAY) == 0


def test_nobody_touches_what_is_another_s_or_without_the_right(client, lena):
    report = made(lena)
    client.force_login(person("otto", "lead"))
    assert client.post(f"/costs/mail/{report.pk}/send/").status_code == 404
    assert client.post(f"/costs/mail/{report.pk}/delete/").status_code == 404
    client.force_login(person("vera", "viewer"))
    assert client.get("/costs/mail/add/").status_code == 403
    assert client.post(f"/costs/mail/{report.pk}/delete/").status_code == 403
    assert CostReport.objects.filter(pk=report.pk).exists()


# ---- by command, and by the environment ----------------------------------------------------------------


def test_the_command_sends_what_is_due_or_all(server, lena, capsys, time_machine):
    time_machine.move_to(MONDAY, tick=False)
    made(lena)
    call_command("mail_costs")
    call_command("mail_costs")
    assert capsys.readouterr().out.split("\n")[:2] == ["1 sent.", "0 sent."]
    call_command("mail_costs", "--all")
    assert "Agents, last week sent to cfo@example.com." in capsys.readouterr().out
    server.refuses = True
    with pytest.raises(CommandError, match="The disk is full"):
        call_command("mail_costs", "--all")


def test_the_command_says_what_is_missing():
    with pytest.raises(CommandError, match="EMAIL_URL"):
        call_command("mail_costs")


@pytest.mark.parametrize(
    "url", ["http://mail.example", "smtp://", "smtp://mail.example:port", "mail.example"]
)
def test_an_address_of_no_mail_server_stops_the_start_in_words(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        mailers(url)


def test_user_password_and_encryption_come_from_the_address():
    told = mailers("smtp+tls://me%40x.example:p%2Fw@mail.example:587")["default"]["OPTIONS"]
    assert told == {
        "host": "mail.example",
        "port": 587,
        "username": "me@x.example",
        "password": "p/w",
        "use_tls": True,
        "timeout": 10,
    }
