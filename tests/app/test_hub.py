"""The live push, end to end: real Valkey, a real server, real event streams."""

import dataclasses
import http.client
import os
import signal
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import OperationalError, connections, transaction
from django.test import Client
from django.utils import timezone

from dashboard import live_wiring
from dashboard.processes.layout import embedded_redis_url
from sessions_app.live import publish, tickets, watching
from sessions_app.live.house import House, Tempo
from sessions_app.live.hub import Hub
from sessions_app.models import AgentSession
from tests.support.environment import temporary_dir
from tests.support.factories import make_session, make_sessions
from tests.support.streams import Viewer, running_hub
from tests.support.valkey import running_valkey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

TEMPO = Tempo(coalesce_s=0.05, pulse_least_s=0.1, grant_s=0.3, retry_s=0.1, watch_s=0.1)
HALF_DEAF = Tempo(coalesce_s=0.05, poll_s=60, poll_alone_s=0.3, retry_s=0.1)
"""What Redis does not tell is heard of only while it is away."""


class Office:
    """People, sessions, and a hub they can watch by."""

    def __init__(self) -> None:
        self.url = ""
        self._viewers: list[Viewer] = []

    def person(self, name: str, role: str = "operator") -> tuple[User, str]:
        """Somebody, and the key of a browser in which they are signed in."""
        user = User.objects.create_user(name)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return user, client.cookies["sessionid"].value

    def session(self, **columns: object) -> AgentSession:
        """A session that nobody has heard of for an hour."""
        return make_session(**(dict.fromkeys(("changed_at", "first_seen_at"), an_hour_ago()) | columns))

    def change(self, session: AgentSession, *, publish_it: bool = True, **columns: object) -> None:
        with transaction.atomic():
            AgentSession.objects.filter(pk=session.pk).update_shown(timezone.now(), **columns)
            if publish_it:
                publish.changed_on_commit(session.account_id, [session.pk])

    def watch(
        self, person: tuple[User, str], *sessions: AgentSession, page: tickets.Page = "live", **headers: str
    ) -> Viewer:
        """A viewer who is up to date: the first strip has come."""
        ticket = tickets.make(person[0], [s.pk for s in sessions], page)
        viewer = Viewer(self.url, ticket, person[1], {k.replace("_", "-"): v for k, v in headers.items()})
        self._viewers.append(viewer)
        assert viewer.status == 200
        viewer.wait_for("pulse")
        return viewer

    def leave(self) -> None:
        for viewer in self._viewers:
            viewer.close()


def an_hour_ago() -> datetime:
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def office(transactional_db) -> Iterator[Office]:
    publish._Circuit.open_until = 0.0
    office = Office()
    with running_hub(Hub(live_wiring.house(), settings.REDIS_URL, TEMPO)) as office.url:
        yield office
        office.leave()


def watched_by(house: House, tempo: Tempo = TEMPO, redis_url: str = ""):
    return running_hub(Hub(house, redis_url or settings.REDIS_URL, tempo))


# ---- what is told, to whom -----------------------------------------------------------------------------


def test_a_change_reaches_everybody_who_has_it_on_the_screen(office):
    session, other = office.session(), office.session()
    ada, ben = office.watch(office.person("ada"), session, other), office.watch(office.person("ben"), session)
    office.change(session, title="Louder now")
    for viewer in (ada, ben):
        row = viewer.wait_for("row")
        assert "Louder now" in row.data and f'id="s-{session.uuid}"' in row.data


def test_and_nobody_else(office):
    session, other = office.session(), office.session()
    ada, ben = office.watch(office.person("ada"), session), office.watch(office.person("ben"), other)
    office.change(session, title="Louder now")
    ada.wait_for("row")
    office.change(other, title="Also louder")
    assert "Also louder" in ben.wait_for("row").data
    assert len(ben.named("row")) == 1
    assert len(ada.named("row")) == 1


def test_a_viewer_gets_rows_as_a_viewer_sees_them(office):
    session = office.session(total_cost_microusd=7_654_321, max_cost_microusd=9_000_000)
    vera = office.watch(office.person("vera", "viewer"), session)
    olga = office.watch(office.person("olga", "operator"), session)
    office.change(session, title="Louder now")
    assert "7.65" in olga.wait_for("row").data
    assert "7.65" not in vera.wait_for("row").data


def test_a_row_is_rendered_once_for_thirty_viewers(office):
    session = office.session()
    rendered: list[list[int]] = []

    def render(session_ids, sight):
        ids = list(session_ids)
        rendered.append(ids)
        return live_wiring.render(ids, sight)

    house = dataclasses.replace(live_wiring.house(), render=render)
    with watched_by(house, HALF_DEAF) as office.url:
        person = office.person("ada")
        viewers = [office.watch(person, session) for _ in range(30)]
        rendered.clear()
        office.change(session, title="Louder now")
        rows = {viewer.wait_for("row") for viewer in viewers}
        office.leave()
    assert rendered == [[session.pk]]
    assert len(rows) == 1, "everybody gets the same bytes, id and all"


def test_a_new_session_is_introduced_to_the_live_page_only(office):
    known = office.session()
    live = office.watch(office.person("ada"), known)
    page = office.watch(office.person("ben"), known, page="session")
    new = office.session(changed_at=timezone.now(), first_seen_at=timezone.now(), attention_rank=3)
    publish.changed(new.account_id, [new.pk], new=[new.pk])
    assert live.wait_for("new").json == {"id": str(new.uuid), "status": "running", "attention": 3}
    office.change(known, title="So that the other hears something")
    page.wait_for("row")
    assert not page.named("new")
    assert len(live.named("new")) == 1


def test_a_new_session_is_told_of_only_where_the_filter_lets_it_through(office):
    account = make_session().account
    ada, ben = office.person("ada"), office.person("ben")
    idle, model = (
        Viewer(office.url, tickets.make(ada[0], [], "live", query), ada[1])
        for query in ("status=idle", "model=claude-opus-4.6")
    )
    everything = office.watch(ben)
    for viewer in (idle, model):
        viewer.wait_for("ready")
    new = office.session(account=account, model="claude-opus-4.6", status="running")
    publish.changed(account.pk, [new.pk], new=[new.pk])
    for viewer in (everything, model):
        assert viewer.wait_for("new").json["id"] == str(new.uuid)
    assert not idle.named("new")
    office.change(new, status="idle")
    assert idle.wait_for("new").json["id"] == str(new.uuid), "by now it matches"
    office.change(new, title="And again")
    everything.wait_for("pulse")
    assert len(idle.named("new")) == len(model.named("new")) == 1


def test_who_comes_back_hears_of_new_sessions_that_the_filter_lets_through(office):
    ada = office.person("ada")
    ticket = tickets.make(ada[0], [], "live", "status=idle")
    running, idle = (
        office.session(changed_at=timezone.now(), first_seen_at=timezone.now(), status=status)
        for status in ("running", "idle")
    )
    viewer = Viewer(office.url, ticket, ada[1])
    viewer.wait_for("ready")
    told = [event.json["id"] for event in viewer.named("new")]
    assert str(idle.uuid) in told and str(running.uuid) not in told


def test_whoever_is_up_to_date_gets_only_the_parts_that_differ(office):
    session = office.session(title="A title", last_step="Before")
    viewer = office.watch(office.person("ada"), session)
    viewer.wait_for("ready")
    office.change(session, last_step="First")
    assert "A title" in viewer.wait_for("row").data, "nothing went out yet on which it could build"
    office.change(session, last_step="Second")
    parts = viewer.wait_for("row", lambda event: "Second" in event.data).data
    assert "A title" not in parts and 'data-base="' in parts


def opened_soon() -> list[int]:
    """What the streams say is open; they say so once a second."""
    deadline = time.monotonic() + 10
    while not watching.opened() and time.monotonic() < deadline:
        time.sleep(0.05)
    return watching.opened()


def test_several_tabs_of_a_browser_hear_by_one_stream(office):
    one, two = office.session(), office.session()
    user, cookie = office.person("ada")
    texts = [tickets.make(user, [one.pk], "live"), "no ticket", tickets.make(user, [two.pk], "session")]
    viewer = Viewer(office.url, texts[0] + "".join(f"&ticket={text}" for text in texts[1:]), cookie)
    assert viewer.wait_for("view").json == {"n": 1}
    viewer.wait_for("forbidden")
    viewer.wait_for("pulse")
    office.change(two, title="For the third")
    viewer.wait_for("row", lambda event: "For the third" in event.data)
    office.change(one, title="For the first")
    viewer.wait_for("row", lambda event: "For the first" in event.data)
    place, heard = 0, []
    for event in viewer.events:
        place = event.json["n"] if event.name == "view" else place
        if event.name == "row":
            heard.append((place, str(one.uuid) in event.data))
    assert set(heard) == {(0, True), (2, False)}
    assert opened_soon() == [two.pk], "only the third is a session's own page"


def test_a_packed_stream_says_the_same(office):
    session = office.session()
    user, cookie = office.person("ada")
    ticket = quote(tickets.make(user, [session.pk], "live"))
    connection = http.client.HTTPConnection(urlsplit(office.url).netloc, timeout=10)
    headers = {"Cookie": f"sessionid={cookie}", "Accept-Encoding": "gzip, deflate, br"}
    connection.request("GET", f"/live/stream?ticket={ticket}", headers=headers)
    answer = connection.getresponse()
    assert answer.headers["Content-Encoding"] == "gzip"
    unpack, text = zlib.decompressobj(zlib.MAX_WBITS | 16), b""
    while b"event: ready" not in text:
        text += unpack.decompress(answer.read1())
    office.change(session, title="Louder now")
    while b"Louder now" not in text:
        text += unpack.decompress(answer.read1())
    connection.close()


def test_a_session_that_ended_leaves_the_live_page_but_not_its_own(office):
    session = office.session()
    live = office.watch(office.person("ada"), session)
    page = office.watch(office.person("ben"), session, page="session")
    office.change(session, status="stopped", is_live=False)
    assert live.wait_for("gone").json == {"id": str(session.uuid)}
    page.wait_for("row")
    assert not page.named("gone")


def test_it_is_said_whose_own_page_is_open_and_of_rows_in_a_list_not(office):
    opened, listed = office.session(), office.session()
    office.watch(office.person("ada"), opened, page="session")
    office.watch(office.person("ben"), listed)
    assert opened_soon() == [opened.pk]


def test_what_needs_no_attention_any_more_leaves_the_attention_page(office):
    session = office.session(attention_rank=2)
    viewer = office.watch(office.person("ada"), session, page="attention")
    office.change(session, attention_rank=1)
    viewer.wait_for("row")
    office.change(session, attention_rank=0)
    viewer.wait_for("gone")


def test_the_summary_strip_follows_the_floor(office):
    session = office.session()
    viewer = office.watch(office.person("ada"), session)
    office.change(session, attention_rank=3)
    viewer.wait_for("pulse", lambda event: 'data-attention="1"' in event.data)


# ---- coming back ---------------------------------------------------------------------------------------


def test_what_changed_between_page_and_stream_is_told(office):
    session, quiet = office.session(), office.session()
    user, cookie = office.person("ada")
    ticket = tickets.make(user, [session.pk, quiet.pk], "live")
    office.change(session, title="Between the two")
    viewer = Viewer(office.url, ticket, cookie)
    assert "Between the two" in viewer.wait_for("row").data
    viewer.wait_for("pulse")
    # Perhaps twice: by catching up, and by the hub's own look at the database.  Never of the quiet one.
    assert all("Between the two" in row.data for row in viewer.named("row"))


def test_a_browser_that_comes_back_hears_what_it_missed(office):
    session = office.session()
    person = office.person("ada")
    first = office.watch(person, session)
    office.change(session, title="Heard")
    heard = first.wait_for("row")
    first.close()
    office.change(session, title="Missed")
    second = office.watch(person, session, Last_Event_ID=heard.id)
    assert "Missed" in second.wait_for("row").data


def test_whoever_was_away_for_long_is_told_by_its_last_event(office):
    session = office.session()
    person = office.person("ada")
    an_hour = timezone.now() - timedelta(minutes=50)
    AgentSession.objects.filter(pk=session.pk).update_shown(an_hour, title="While you were out")
    assert not office.watch(person, session).named("row"), "its page is newer than that"
    away_since = str(int((an_hour - timedelta(minutes=1)).timestamp() * 1000))
    assert (
        "While you were out" in office.watch(person, session, Last_Event_ID=away_since).wait_for("row").data
    )


def test_new_sessions_are_told_to_whoever_comes_back(office):
    person = office.person("ada")
    since = str(int(time.time() * 1000))
    new = office.session(changed_at=timezone.now(), first_seen_at=timezone.now())
    ended = office.session(
        changed_at=timezone.now(), first_seen_at=timezone.now(), status="stopped", is_live=False
    )
    viewer = office.watch(person, Last_Event_ID=since)
    assert viewer.wait_for("new").json["id"] == str(new.uuid)
    assert str(ended.uuid) not in [event.json["id"] for event in viewer.named("new")]


# ---- when something is away ------------------------------------------------------------------------------


def test_redis_killed_and_back(office):
    session = office.session()
    directory = temporary_dir()
    url = embedded_redis_url(directory)
    with running_valkey(directory) as server, watched_by(live_wiring.house(), HALF_DEAF, url) as office.url:
        viewer = office.watch(office.person("ada"), session)
        until_subscribed(server)
        os.kill(server.info("server")["process_id"], signal.SIGKILL)
        office.change(session, publish_it=False, title="Told by the database")
        viewer.wait_for("row", lambda event: "Told by the database" in event.data)
        with running_valkey(directory) as again:
            until_subscribed(again)
            office.change(session, publish_it=False, title="By Redis again")
            again.publish(publish.CHANNEL, f"[1,[{session.pk}],[]]")
            viewer.wait_for("row", lambda event: "By Redis again" in event.data, within_s=5)
        office.leave()


def test_a_frozen_redis_is_noticed(office):
    session = office.session()
    directory = temporary_dir()
    url = embedded_redis_url(directory)
    with running_valkey(directory) as server, watched_by(live_wiring.house(), HALF_DEAF, url) as office.url:
        viewer = office.watch(office.person("ada"), session)
        until_subscribed(server)
        pid = server.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            office.change(session, publish_it=False, title="Told by the database")
            viewer.wait_for("row", lambda event: "Told by the database" in event.data, within_s=12)
        finally:
            os.kill(pid, signal.SIGCONT)
        office.leave()


def until_subscribed(server: redis.Redis) -> None:
    deadline = time.monotonic() + 10
    while not any(client["sub"] == "2" for client in server.client_list()):
        assert time.monotonic() < deadline, "the hub does not subscribe"
        time.sleep(0.02)


def test_without_any_redis_a_change_is_told_all_the_same(office):
    session = office.session()
    with watched_by(live_wiring.house(), HALF_DEAF, "unix:///nowhere.sock") as office.url:
        viewer = office.watch(office.person("ada"), session)
        office.change(session, publish_it=False, title="Told by the database")
        assert "Told by the database" in viewer.wait_for("row").data
        office.leave()


def test_a_database_that_hiccups_costs_no_change(office):
    session = office.session()
    hiccups: list[bool] = []

    def render(session_ids, sight):
        if hiccups:
            hiccups.pop()
            raise OperationalError("server closed the connection unexpectedly")
        return live_wiring.render(session_ids, sight)

    house = dataclasses.replace(live_wiring.house(), render=render)
    with watched_by(house, dataclasses.replace(TEMPO, poll_s=0.3)) as office.url:
        viewer = office.watch(office.person("ada"), session)
        hiccups += [True, True]
        office.change(session, title="After all")
        assert "After all" in viewer.wait_for("row").data
        office.leave()
    assert not hiccups


def test_a_row_that_cannot_be_rendered_holds_up_no_other(office, monkeypatch):
    broken, fine = office.session(), office.session()
    viewer = office.watch(office.person("ada"), broken, fine)
    AgentSession.objects.filter(pk=broken.pk).update(attention=[{"code": 7, "since": {}}, "nonsense", 12])
    office.change(broken, title="Never shown")
    office.change(fine, title="Shown")
    viewer.wait_for("row", lambda event: "Shown" in event.data)


# ---- who may ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", ["no cookie", "somebody else's cookie", "made-up cookie", "no ticket", "altered ticket"]
)
def test_no_stream_without_the_browser_that_the_page_was_made_for(office, case):
    (ada, adas), (_, bens) = office.person("ada"), office.person("ben")
    ticket = tickets.make(ada, [1], "live")
    given = {
        "no cookie": (ticket, ""),
        "somebody else's cookie": (ticket, bens),
        "made-up cookie": (ticket, "x" * 32),
        "no ticket": ("", adas),
        "altered ticket": (ticket[:-3] + "abc", adas),
    }[case]
    assert Viewer(office.url, *given).status == 403


def test_whoever_signs_out_hears_no_more(office):
    person = office.person("ada")
    viewer = office.watch(person, office.session())
    client = Client()
    client.cookies["sessionid"] = person[1]
    client.post("/accounts/logout/")
    viewer.wait_for("forbidden")
    assert viewer.ended.wait(5)


def test_whoever_is_shut_out_hears_no_more(office):
    user, cookie = office.person("ada")
    viewer = office.watch((user, cookie), office.session())
    User.objects.filter(pk=user.pk).update(is_active=False)
    viewer.wait_for("forbidden")
    assert viewer.ended.wait(5)
    assert Viewer(office.url, tickets.make(user, [], "live"), cookie).status == 403


def test_a_new_password_ends_the_streams_of_the_old_one(office):
    user, cookie = office.person("ada")
    viewer = office.watch((user, cookie), office.session())
    user.set_password("a new one")
    user.save()
    viewer.wait_for("forbidden")


def test_a_permission_withdrawn_makes_the_page_come_anew(office):
    user, cookie = office.person("ada", "operator")
    viewer = office.watch((user, cookie), office.session())
    user.groups.clear()
    assert viewer.wait_for("resync").json == {"why": "sight"}
    assert viewer.ended.wait(5)


@pytest.mark.parametrize(
    "what", ["signs out", "is shut out", "loses a role", "has a role that loses a permission"]
)
def test_whose_rights_change_hears_no_more_at_once(office, what):
    """Without waiting for the next time that everybody is asked."""
    tempo = dataclasses.replace(TEMPO, grant_s=300, grant_least_s=0.2)
    user, cookie = office.person("ada", "operator")
    with watched_by(live_wiring.house(), tempo) as office.url:
        viewer = office.watch((user, cookie), office.session())
        until_subscribed(redis.Redis.from_url(settings.REDIS_URL))
        _withdraw(user, cookie, what)
        viewer.wait_for("forbidden" if "out" in what else "resync")
        assert viewer.ended.wait(5)
        office.leave()


def _withdraw(user: User, cookie: str, what: str) -> None:
    if what == "signs out":
        client = Client()
        client.cookies["sessionid"] = cookie
        client.post("/accounts/logout/")
    elif what == "is shut out":
        user.is_active = False
        user.save()
    elif what == "loses a role":
        user.groups.clear()
    else:
        operators = Group.objects.get(name="operator")
        operators.permissions.remove(operators.permissions.get(codename="see_costs"))


def test_asking_who_somebody_is_leaves_their_session_alone(office, settings):
    """Django would give the session a new key after a change of SECRET_KEY, and sign this browser out."""
    user, cookie = office.person("ada")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, " * 5
    assert live_wiring.signed_in(cookie) == user
    assert live_wiring.signed_in(cookie) == user


# ---- what it costs the server ----------------------------------------------------------------------------


TIMES, LAST = 48, b"0047"


def test_who_reads_slowly_is_late_but_gets_the_latest_and_costs_little(office):
    sessions = make_sessions(100)
    for_whom = office.person("ada")
    ticket = tickets.make(for_whom[0], [s.pk for s in sessions], "live")
    hub = Hub(live_wiring.house(), settings.REDIS_URL, TEMPO)
    with running_hub(hub, send_buffer=65_536) as url:  # else the system would keep megabytes in our place
        slow = slow_reader(url, ticket, for_whom[1])
        for number in range(TIMES):
            AgentSession.objects.update_shown(
                timezone.now(), title=f"Title {number:04} {'x' * 450}", last_step="y" * 900
            )
            publish.changed(sessions[0].account_id, [s.pk for s in sessions])
            time.sleep(0.05)
        received = b""
        deadline = time.monotonic() + 20
        while not all(f'data-session-id="{s.uuid}"'.encode() in received for s in sessions) or (
            received.rpartition(b"Title ")[2][:4] != LAST
        ):
            assert time.monotonic() < deadline
            received += slow.recv(65536)
        slow.close()
    assert received.count(b"event: row") < TIMES * 100 / 8, "what nobody read was not kept"


def slow_reader(url: str, ticket: str, cookie: str) -> socket.socket:
    """A browser that has asked, and reads nothing of the answer yet."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    slow.connect(("127.0.0.1", int(url.rpartition(":")[2])))
    slow.settimeout(10)
    lines = [f"GET /live/stream?ticket={ticket} HTTP/1.1", "Host: x", f"Cookie: sessionid={cookie}", "", ""]
    slow.sendall("\r\n".join(lines).encode())
    return slow


def test_a_stop_of_the_server_does_not_wait_for_the_viewers(office):
    hub = Hub(live_wiring.house(), settings.REDIS_URL, TEMPO)
    person, session = office.person("ada"), office.session()
    with running_hub(hub) as office.url:
        viewers = [office.watch(person, session) for _ in range(50)]
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert all(viewer.ended.wait(1) for viewer in viewers)


def left_open(work: Callable[[], object]) -> bool:
    """Whether a thread that did this has a database connection afterwards."""
    kept: list[bool] = []

    def ask() -> None:
        with suppress(Exception):
            work()
        kept.append(connections["default"].connection is not None)
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return kept[0]


def test_threads_of_the_hub_keep_no_connection_of_a_server():
    has_server = connections["default"].vendor != "sqlite"
    assert left_open(lambda: live_wiring.changed_since_any(timezone.now())) is not has_server


def test_a_connection_that_failed_is_not_kept():
    assert not left_open(lambda: live_wiring.changed_since_any("no moment"))
