"""A tab that fetches itself says which rows it shows, and hears what became of those that its page has no more."""

import re

import pytest

from sessions_app.live import tickets
from sessions_app.models import AgentSession
from sessions_app.queries import rows
from sessions_app.views.shown import HEADER
from tests.app.test_live_page import ids, shown, sign_in
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _operator(client):
    rows.forget()
    return sign_in(client, "olga", "operator")


def fetch(client, address: str = "/", ticket: str = "") -> str:
    response = client.get(address, headers={HEADER: ticket} if ticket else {})
    assert response.status_code == 200
    return response.content.decode()


def ticket_of(html: str) -> str:
    return re.search(r'data-stream-ticket="([^"]+)"', html).group(1)


def left(html: str) -> tuple[str, list[str]]:
    """The rows that the tab alone still shows, and which of them have no place on such a page."""
    found = re.search(r'<template id="left" data-gone="([^"]*)">(.*?)</template>', html, re.DOTALL)
    return (found.group(2), found.group(1).split()) if found else ("", [])


def become(session: AgentSession, **fields: object) -> None:
    AgentSession.objects.filter(pk=session.pk).update(**fields, version=session.version + 1)


@pytest.mark.parametrize("address", ["/", "/?view=tv"])
def test_what_ended_comes_with_its_last_status_and_is_gone(client, address):
    account = make_account()
    ended, lives = make_session(account=account), make_session(account=account)
    before = fetch(client, address)
    become(ended, is_live=False, status="stopped")
    html, gone = left(fetch(client, address, ticket_of(before)))
    assert shown(html) == ids(ended) == gone
    assert 'data-status="stopped"' in html
    assert str(lives.uuid) not in html, "that one is on the page itself"


def test_what_only_moved_off_the_page_is_not_gone_and_stays_heard_of(client):
    session = make_session(account=make_account(), model="one")
    make_session(account=session.account, model="two")
    before = fetch(client, "/")
    after = fetch(client, "/?model=two", ticket_of(before))
    html, gone = left(after)
    assert (shown(html), gone) == (ids(session), [])
    assert session.pk in tickets.read(ticket_of(after)).session_ids


def test_what_needs_nobody_any_more_leaves_the_queue(client):
    session = make_session(account=make_account(), attention_rank=60)
    before = fetch(client, "/attention/")
    become(session, attention_rank=0)
    assert left(fetch(client, "/attention/", ticket_of(before)))[1] == ids(session)


def test_a_list_of_the_history_keeps_its_rows(client):
    session = make_session(account=make_account())
    before = fetch(client, "/sessions/?status=running")
    become(session, is_live=False, status="stopped")
    html, gone = left(fetch(client, "/sessions/?status=running", ticket_of(before)))
    assert (shown(html), gone) == (ids(session), [])


@pytest.mark.parametrize("whose", ["nobody's", "somebody else's"])
def test_a_ticket_of_another_tells_nothing(client, whose):
    session = make_session(account=make_account(), is_live=False)
    ticket = "x:y:z"
    if whose == "somebody else's":
        other = sign_in(client, "vera", "viewer")
        ticket = tickets.make(other, [session.pk], "live")
        sign_in(client, "otto", "operator")
    assert '<template id="left"' not in fetch(client, "/", ticket)
