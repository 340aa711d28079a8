"""Pictures: kept while their addresses live, whatever the addresses lead to, and shown to those who are signed in."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.utils import timezone

from sessions_app.live import watching
from sessions_app.live.publish import CHANNEL
from sessions_app.models import AgentSession, Screenshot, SessionDetail
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.screenshots import due, rounds, storage
from sessions_app.screenshots.image import hash_of
from sessions_app.simulator.testing import RunningSimulator, running_simulator
from tests.support.factories import make_account, make_session, make_sessions
from tests.support.picture_host import PictureHost, jpeg, picture_host, png

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _upstream_is_here(settings, tmp_path):
    settings.UPSTREAM_IS_LOOPBACK = True
    pictures = settings.STORAGES["pictures"] | {
        "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True}
    }
    settings.STORAGES = settings.STORAGES | {"pictures": pictures}


@pytest.fixture
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


@pytest.fixture
def host() -> Iterator[PictureHost]:
    with picture_host() as running:
        yield running


def watched(sim: RunningSimulator, **reply: object) -> AgentSession:
    """A running session that has been read once.  `reply`: fields of its further answers."""
    uuid = UUID(sim.running_session().id)
    sim.advance(30)
    account = make_account(base_url=sim.base_url, api_key=sim.key)
    apply_answers(account, [client_of(account).session(uuid)])
    if reply:
        sim.force(str(uuid), **reply)
    return AgentSession.objects.get(uuid=uuid)


def files() -> list[str]:
    folders, _ = storages["pictures"].listdir("")
    return sorted(name for folder in folders for name in storages["pictures"].listdir(folder)[1])


@pytest.mark.both_databases
def test_a_picture_is_kept_and_open_screens_hear_of_it(sim, valkey, django_capture_on_commit_callbacks):
    before = watched(sim)
    heard = valkey.pubsub()
    heard.subscribe(CHANNEL)
    heard.get_message(timeout=1)
    with django_capture_on_commit_callbacks(execute=True):
        assert rounds.take_round() == (1, 1)
    after = AgentSession.objects.get(pk=before.pk)
    assert after.picture and after.version > before.version
    assert after.picture_at >= after.picture_tried_at
    row = Screenshot.objects.get()
    assert (row.content_hash, row.width, row.height) == (after.picture, 1280, 800)
    assert row.step_count == after.step_count > 0
    assert files() == [f"{after.picture}.thumb.webp", f"{after.picture}.webp"]
    assert heard.get_message(timeout=1)["type"] == "message"


def test_the_presigned_address_is_stored_nowhere(sim):
    session = watched(sim)
    rounds.take_round()
    detail = SessionDetail.objects.get(session=session)
    assert "signature=" not in detail.raw
    assert "pictures" not in repr(vars(AgentSession.objects.get(pk=session.pk)).values())


def test_an_unchanged_picture_is_neither_decoded_nor_stored_again(sim, monkeypatch):
    session = watched(sim)
    rounds.take_round()
    first = AgentSession.objects.get(pk=session.pk)
    AgentSession.objects.update(progress_at=timezone.now() + timedelta(seconds=1))
    monkeypatch.setattr("sessions_app.screenshots.image.make", None)  # whoever decodes now, fails
    assert rounds.take_round(timezone.now() + timedelta(seconds=5)) == (1, 0)
    again = AgentSession.objects.get(pk=session.pk)
    assert Screenshot.objects.count() == 1
    assert again.picture == first.picture and again.picture_at > first.picture_at


def test_a_new_step_brings_a_new_picture(sim):
    session = watched(sim)
    rounds.take_round()
    sim.advance(120)
    account = session.account
    apply_answers(account, [client_of(account).session(session.uuid)])
    assert rounds.take_round(timezone.now() + timedelta(seconds=5)) == (1, 1)
    assert Screenshot.objects.filter(session=session).count() == 2


@pytest.mark.parametrize(
    "path",
    [
        "/html",
        "/html-as-png",
        "/bomb",
        "/truncated",
        "/cut-short",
        "/expired",
        "/elsewhere",
        "/huge",
        "/nothing-at-all",
    ],
)
def test_a_bad_picture_costs_one_attempt_and_nobody_else_anything(sim, host, path):
    bad = watched(sim, screenshotUrl=host.url(path))
    good = watched(sim, screenshotUrl=host.url("/good.jpg"))
    assert rounds.take_round() == (2, 1)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.picture, bad.picture_at) == ("", None)
    assert bad.picture_tried_at is not None
    assert good.picture == hash_of(host.files["/good.jpg"][1])
    assert due.claim(timezone.now() + timedelta(seconds=10)) == []
    assert due.claim(timezone.now() + timedelta(seconds=31)) == [bad]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://169.254.169.254/latest/",
        "http://10.0.0.1/a.png",
        "",
        None,
        7,
        {"a": 1},
    ],
)
def test_addresses_that_lead_inside_are_not_asked(sim, url):
    session = watched(sim, screenshotUrl=url)
    assert rounds.take_round() == (1, 0)
    session.refresh_from_db()
    assert session.picture == ""


def test_upstream_down_costs_an_attempt(sim):
    watched(sim)
    sim.faults.set(server_error=20)
    assert rounds.take_round() == (1, 0)


def test_too_many_requests_makes_pictures_wait_and_nothing_else(sim):
    session = watched(sim)
    sim.faults.set({"kind": "rate_limit", "count": 1, "retry_after": 7})
    rounds.take_round()
    asked = sim.calls("GET", "/sessions")
    rounds.take_round(timezone.now() + timedelta(seconds=31))
    assert sim.calls("GET", "/sessions") == asked
    session.refresh_from_db()
    assert session.picture == ""


def test_after_the_end_one_last_picture(sim):
    session = watched(sim)
    rounds.take_round()
    ended = timezone.now()
    AgentSession.objects.update(is_live=False, status="stopped", ended_at=ended, changed_at=ended)
    later = ended + timedelta(seconds=5)
    assert due.claim(later) == [session]
    AgentSession.objects.update(picture_at=later)
    assert due.claim(later + timedelta(minutes=1)) == []


@pytest.mark.both_databases
def test_two_workers_never_take_the_same_session():
    make_sessions(5, has_screenshot=True)
    now = timezone.now()
    candidates = list(due._candidates(now))
    assert len(due.claim(now)) == 5
    assert [session for session in candidates if due._won(session, now + timedelta(seconds=1))] == []


def test_most_wanted_first_and_only_so_many():
    now = timezone.now()
    make_sessions(20, has_screenshot=True, picture="a" * 64, picture_at=now - timedelta(minutes=1))
    ended = make_session(status="stopped", has_screenshot=True)
    new = make_session(has_screenshot=True)
    make_session(has_screenshot=False)
    make_session(has_screenshot=True, gone_at=now)
    make_session(has_screenshot=True, picture="a" * 64, picture_at=now)
    claimed = due.claim(now)
    assert claimed[0] == new and len(claimed) == due.PER_ROUND
    assert ended == list(due._candidates(now))[-1]


def test_what_is_looked_at_does_not_wait_for_a_thousand_others(valkey):
    now = timezone.now()
    long_ago, lately = now - timedelta(minutes=20), now - timedelta(seconds=20)
    columns = {"has_screenshot": True, "picture": "b" * 64, "progress_at": now}
    others = make_sessions(12, **columns, picture_at=long_ago, picture_tried_at=long_ago)
    troubled = make_sessions(9, **columns, picture_at=lately, picture_tried_at=lately, attention_rank=30)
    opened = make_session(**columns, picture_at=lately, picture_tried_at=lately)
    watching.note([opened.pk])
    claimed = [session.pk for session in due.claim(now)]
    assert claimed[0] == opened.pk and len(claimed) == due.PER_ROUND
    assert len({one.pk for one in troubled} & set(claimed)) == due.PER_ROUND // 2 - 1
    assert len({one.pk for one in others} & set(claimed)) == due.PER_ROUND // 2, "and nobody waits for ever"


def test_the_same_picture_of_two_sessions_is_one_file():
    one, other = make_sessions(2)
    data, now = png(), timezone.now()
    assert storage.keep(one, data, step_count=1, taken_at=now)
    assert storage.keep(other, data, step_count=1, taken_at=now)
    assert len(files()) == 2 and Screenshot.objects.count() == 2


def test_old_pictures_go_and_take_their_files_along():
    session, other = make_sessions(2)
    now = timezone.now()
    for number in range(6):
        data = png(8, 8, (number, 0, 0))
        storage.keep(session, data, step_count=number, taken_at=now + timedelta(seconds=number))
        session.refresh_from_db()
    storage.keep(other, png(8, 8, (0, 0, 0)), step_count=1, taken_at=now)
    assert storage.thin_out(session.pk, kept=3, slack=0) == 3
    left = [shot.step_count for shot in session.screenshots.order_by("step_count")]
    assert left == [3, 4, 5]
    assert len(files()) == 2 * 4, "three of this session, and the one that the other has too"


# ---- shown -----------------------------------------------------------------------------------------


@pytest.fixture
def kept() -> str:
    session = make_session()
    storage.keep(session, jpeg(), step_count=1, taken_at=timezone.now())
    return AgentSession.objects.get(pk=session.pk).picture


@pytest.fixture
def vera(client) -> User:
    """A viewer: pictures are for everybody who is signed in."""
    user = User.objects.create_user("vera")
    client.force_login(user)
    return user


@pytest.mark.parametrize("ending", ["webp", "thumb.webp"])
def test_pictures_are_kept_by_the_browser_and_never_change(client, vera, kept, ending):
    answer = client.get(f"/pictures/{kept}.{ending}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer.content[:4] == b"RIFF"
    assert set(answer["Cache-Control"].split(", ")) == {"private", "immutable", "max-age=31536000"}
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = client.get(f"/pictures/{kept}.{ending}", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304 and again.content == b""


def test_full_and_thumbnail_are_two(client, vera, kept):
    full, thumb = client.get(f"/pictures/{kept}.webp"), client.get(f"/pictures/{kept}.thumb.webp")
    assert len(full.content) > len(thumb.content) and full["ETag"] != thumb["ETag"]


def test_nobody_unknown_sees_one(client, kept):
    assert client.get(f"/pictures/{kept}.webp")["Location"].startswith("/accounts/login/")


def test_where_there_is_none_a_placeholder_says_so(client, vera):
    answer = client.get(f"/pictures/{'0' * 64}.webp")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "image/svg+xml" and b"<svg" in answer.content
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["../watchfloor.sqlite3", "..%2f..%2fsecret_key.webp", "A" * 64 + ".webp", "0" * 63 + ".webp", "0" * 64 + ".webp%00",
     "0" * 64, "0" * 64 + ".thumb.thumb.webp", "%2e%2e/x.webp"],
)  # fmt: skip
def test_no_other_file_has_an_address(client, vera, path):
    answer = client.get(f"/pictures/{path}")
    assert answer.status_code == 404 and b"<svg" not in answer.content[:5]
