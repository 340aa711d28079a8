"""What Browser Use sends by itself: believed by its signature, counted once, and never taken as data."""

import json
import time
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from sessions_app.live import wake
from sessions_app.models import Account, AgentSession
from sessions_app.upstream.webhooks import sign
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SECRET = "whsec_correct-horse"


@pytest.fixture
def account():
    return make_account(slug="shop", name="Shop", webhook_secret=SECRET)


@pytest.fixture
def anybody():
    """No cookie, no CSRF token, nobody signed in."""
    return Client(enforce_csrf_checks=True)


def told(session_id: object, status: str = "idle") -> bytes:
    payload = {"metadata": {}, "session_id": str(session_id), "status": status, "task_id": "t"}
    return json.dumps({"payload": payload, "timestamp": "now", "type": "agent.task.status_update"}).encode()


def send(
    client: Client,
    body: bytes,
    *,
    slug: str = "shop",
    at: float | None = None,
    secret: str = SECRET,
    **headers: str,
):
    moment = str(int(time.time() if at is None else at))
    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    return client.post(
        f"/webhooks/browser-use/{slug}/",
        body,
        content_type="application/json",
        headers={
            "X-Browser-Use-Timestamp": moment,
            "X-Browser-Use-Signature": sign(secret, moment, canonical),
            **headers,
        },
    )


def woken() -> list:
    return [(one.account_pk, one.uuid) for one in wake.waiting()]


def test_it_wakes_a_reading_of_the_session(account, anybody):
    session = make_session(account=account)
    assert send(anybody, told(session.uuid)).status_code == 200
    assert woken() == [(account.pk, session.uuid)]
    account.refresh_from_db()
    assert account.webhook_at is not None
    assert account.webhook_kind == "agent.task.status_update"


def test_what_it_says_is_not_taken_as_data(account, anybody):
    session = make_session(account=account, status="running")
    send(anybody, told(session.uuid, status="stopped"))
    assert AgentSession.objects.get(pk=session.pk).status == "running"


def test_a_session_that_we_do_not_know_is_read_as_well(account, anybody):
    unknown = uuid4()
    assert send(anybody, told(unknown)).status_code == 200
    assert woken() == [(account.pk, unknown)]


def test_the_same_one_five_times_counts_once(account, anybody):
    session, at = make_session(account=account), time.time()
    for _ in range(5):
        assert send(anybody, told(session.uuid), at=at).status_code == 200
    assert len(woken()) == 1
    wake.read(wake.waiting())
    assert send(anybody, told(session.uuid), at=at).status_code == 200
    assert woken() == [], "a replay wakes nothing"


def test_the_same_words_a_second_later_are_other_news(account, anybody):
    session, at = make_session(account=account), time.time()
    send(anybody, told(session.uuid), at=at - 1)
    wake.read(wake.waiting())
    send(anybody, told(session.uuid), at=at)
    assert len(woken()) == 1


def test_each_account_remembers_for_itself(account, anybody):
    other = make_account(slug="other", webhook_secret=SECRET)
    session, at = uuid4(), time.time()
    send(anybody, told(session), at=at)
    send(anybody, told(session), at=at, slug="other")
    assert sorted(woken()) == sorted([(account.pk, session), (other.pk, session)])


@pytest.mark.parametrize(("off_s", "status"), [(-299, 200), (299, 200), (-301, 401), (301, 401)])
def test_five_minutes_off_are_tolerated(account, anybody, off_s, status):
    with time_machine.travel(timezone.now(), tick=False):
        assert send(anybody, told(uuid4()), at=time.time() + off_s).status_code == status


def test_in_any_order_at_any_age_the_end_is_the_same(account, anybody):
    """Five of each, shuffled, old and new: what is left is one word per session."""
    sessions = [make_session(account=account) for _ in range(3)]
    with time_machine.travel(timezone.now(), tick=False):
        for off_s in (0, -299, 299, -299, 150) * 2:
            for session in sessions:
                assert send(anybody, told(session.uuid), at=time.time() + off_s).status_code == 200
    assert sorted(uuid for _, uuid in woken()) == sorted(one.uuid for one in sessions)


def test_a_wrong_secret_is_refused_and_the_page_says_why(account, anybody):
    answer = send(anybody, told(uuid4()), secret="another secret")
    assert answer.status_code == 401
    assert woken() == []
    account.refresh_from_db()
    assert account.webhook_refused_at is not None
    assert "signature does not match" in account.webhook_refusal
    assert account.webhook_at is None


def test_a_signature_of_foreign_letters_is_refused_in_words(account, anybody):
    answer = send(anybody, told(uuid4()), **{"X-Browser-Use-Signature": "ü" * 64})
    assert answer.status_code == 401
    assert "signature" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["X-Browser-Use-Timestamp", "X-Browser-Use-Signature"])
def test_a_header_is_missing(account, anybody, name):
    assert send(anybody, told(uuid4()), **{name: ""}).status_code == 401


def test_too_large_is_not_read(account, anybody):
    body = json.dumps({"x": "x" * (256 * 1024)}).encode()
    assert send(anybody, body).status_code == 413
    account.refresh_from_db()
    assert "256 KB" in account.webhook_refusal


def test_a_length_that_lies_does_not_help(account, anybody):
    body = json.dumps({"x": "x" * (256 * 1024)}).encode()
    moment = str(int(time.time()))
    answer = anybody.generic(
        "POST", "/webhooks/browser-use/shop/", body, content_type="application/json",
        headers={"X-Browser-Use-Timestamp": moment, "X-Browser-Use-Signature": sign(SECRET, moment, body)},
        CONTENT_LENGTH=str(256 * 1024 + 1),
    )  # fmt: skip
    assert answer.status_code == 413


def test_without_a_secret_everything_is_refused(anybody):
    make_account(slug="shop")
    answer = send(anybody, told(uuid4()), secret="")
    assert answer.status_code == 401
    assert "No webhook secret is set" in Account.objects.get().webhook_refusal


def test_nobody_of_that_name(anybody):
    assert send(anybody, told(uuid4()), slug="nobody").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_by_post_only(account, anybody, method):
    assert getattr(anybody, method)("/webhooks/browser-use/shop/").status_code == 405


def test_a_paused_account_is_not_woken(account, anybody):
    Account.objects.update(is_active=False, paused_at=timezone.now())
    assert send(anybody, told(uuid4())).status_code == 200
    assert woken() == []


def test_without_redis_the_sender_is_asked_to_come_again(account, anybody, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    body, at = told(uuid4()), time.time()
    answer = send(anybody, body, at=at)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


def test_and_when_it_comes_again_it_is_taken(account, anybody, settings):
    away, body, at = "unix:///nowhere/valkey.sock", told(uuid4()), time.time()
    there, settings.REDIS_URL = settings.REDIS_URL, away
    send(anybody, body, at=at)
    settings.REDIS_URL = there
    assert send(anybody, body, at=at).status_code == 200
    assert len(woken()) == 1


def test_a_burst_is_few_writes(account, anybody, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):  # reading the account each time, and one note
        for _ in range(5):
            send(anybody, told(uuid4()))
    assert len(woken()) == 5


def test_refusals_of_strangers_are_few_writes(account, anybody):
    send(anybody, told(uuid4()), secret="a stranger's")
    first = Account.objects.get().webhook_refused_at
    send(anybody, told(uuid4()), secret="a stranger's")
    assert Account.objects.get().webhook_refused_at == first
    Account.objects.update(webhook_refused_at=first - timedelta(seconds=5))
    send(anybody, told(uuid4()), secret="a stranger's")
    assert Account.objects.get().webhook_refused_at > first - timedelta(seconds=5)


def test_no_secret_in_an_answer_or_a_log(account, anybody, caplog):
    answer = send(anybody, told(uuid4()), secret="another secret")
    assert SECRET not in answer.content.decode() + caplog.text
