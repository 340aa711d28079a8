"""What machines ask: is the process up, is each part fit, what are the numbers?"""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from dashboard.processes import heartbeat
from sessions_app.queries import health
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

LONG = 10_000.0
OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}
GUARDED = ["/readyz", "/metrics"]


def samples(client: Client) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


# ---- who may ask -----------------------------------------------------------------------------------


def test_anybody_may_ask_whether_the_process_is_up(client):
    assert client.get("/healthz", **OUTSIDE).content == b"ok"


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_may_ask(client, path, address):
    make_account()
    assert client.get(path, REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wröng"}])
def test_others_may_not(client, path, headers):
    answer = client.get(path, headers=headers, **OUTSIDE)
    assert answer.status_code == 403
    assert b"METRICS_TOKEN" in answer.content


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_on_this_machine_does_not_make_the_world_local(client, path, header):
    assert client.get(path, headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize("path", GUARDED)
def test_a_token_opens(client, path, settings):
    make_account()
    settings.METRICS_TOKEN = "scrape-me"
    assert client.get(path, headers={"Authorization": "Bearer scrape-me"}, **OUTSIDE).status_code == 200
    assert client.get(f"{path}?token=scrape-me", **OUTSIDE).status_code == 200
    assert client.get(f"{path}?token=scrape", **OUTSIDE).status_code == 403


def test_whoever_may_manage_may_look_from_anywhere(client):
    make_account()
    client.force_login(User.objects.create_superuser("ada"))
    assert client.get("/readyz", **OUTSIDE).status_code == 200


# ---- readiness -------------------------------------------------------------------------------------


def test_a_floor_that_reads_is_ready(client):
    make_account(name="Production")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert told["ready"]
    assert set(told["parts"]) == {"database", "broker", "polling"}
    assert told["parts"]["polling"]["accounts"][0]["name"] == "Production"
    assert told["parts"]["broker"]["queues"]["poll"] == 0


def test_the_first_minute_is_forgiven_and_the_second_is_not():
    make_account(last_read_at=None)
    early, late = health.parts(up_for_s=5.0)["polling"], health.parts(up_for_s=LONG)["polling"]
    assert early["ok"] and early["starting"]
    assert not late["ok"]


@pytest.mark.parametrize(("seconds", "ok"), [(30, True), (3_600, False)])
def test_an_account_that_was_long_not_read_is_not_fit(seconds, ok):
    make_account(last_read_at=timezone.now() - timedelta(seconds=seconds), failures=4, error="Refused.")
    polling = health.parts(up_for_s=LONG)["polling"]
    assert polling["ok"] is ok
    assert polling["accounts"][0]["error"] == "Refused."
    assert polling["accounts"][0]["age_s"] == pytest.approx(seconds, abs=5)


def test_an_account_that_rests_does_not_count():
    make_account()
    make_account(last_read_at=None, is_active=False)
    assert health.parts(up_for_s=LONG)["polling"]["ok"]


def test_a_floor_without_an_account_is_not_ready():
    assert health.parts(up_for_s=5.0)["polling"]["error"] == "no active account"


@pytest.mark.parametrize("address", ["unix:///nowhere/valkey.sock", "redis://127.0.0.1:9/0"])
def test_a_broker_that_is_away_is_said_so_in_time(client, settings, address):
    make_account()
    settings.REDIS_URL = address
    began = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - began < 5
    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"]["ok"] is False
    assert answer.json()["parts"]["database"]["ok"] is True


def test_a_database_that_is_away_is_said_so(client, monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == {
        "ok": False, "vendor": connection.vendor, "error": "DatabaseError",
    }  # fmt: skip
    assert answer.json()["parts"]["polling"]["ok"] is False


# ---- metrics ---------------------------------------------------------------------------------------


def test_the_numbers_of_the_floor(client, valkey):
    account = make_account(slug="prod", failures=3)
    make_session(account=account, attention_rank=40)
    make_session(account=account, status="idle")
    make_session(account=account, status='odd"\n{}')
    make_session(account=account, status="stopped")
    valkey.set(heartbeat.key("poll"), time.time() - 7)
    valkey.lpush("pictures", "a", "b")
    found = samples(client)
    assert found["watchfloor_live_sessions", "running"] == 1
    assert found["watchfloor_live_sessions", "other"] == 1
    assert ("watchfloor_live_sessions", "stopped") not in found
    assert found["watchfloor_attention", ""] == 1
    assert found["watchfloor_sweep_failures", "prod"] == 3
    assert found["watchfloor_poll_age_seconds", "prod"] == pytest.approx(1, abs=3)
    assert found["watchfloor_open_stops", "requested"] == 0
    assert found["watchfloor_queue_waiting", "pictures"] == 2
    assert found["watchfloor_canary_age_seconds", "poll"] == pytest.approx(7, abs=3)


def test_no_key_and_no_address_in_the_numbers(client):
    make_account(api_key="bu_secret", base_url="https://internal.example/api/v3")
    told = client.get("/metrics").content
    assert b"bu_secret" not in told
    assert b"internal.example" not in told
