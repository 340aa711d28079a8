"""What a budget that is too small does to sweeps and stops, and how people hear of it."""

import re
import threading
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from sessions_app.live.connection import client as redis_client
from sessions_app.models import Account, AgentSession
from sessions_app.polling import ages
from sessions_app.polling.clients import budget_of, client_of
from sessions_app.queries import health, pulse
from sessions_app.simulator.testing import running_simulator
from sessions_app.types import Sight, Strategy
from sessions_app.upstream.budget import key_of
from sessions_app.upstream.errors import OverBudget, RateLimited
from tests.support.factories import make_account
from tests.support.sweeping import account_of, pause_s, row_of, swept

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SHORT = {"needed_per_s": 5.3, "budget_per_s": 2.0, "ages_s": {"running": 8.4, "resting": 61.0, "opened": 1.0}}


@pytest.fixture
def sim():
    with running_simulator(sessions=0, clock="manual") as running:
        yield running


@pytest.fixture
def large():
    """Six pages or more."""
    with running_simulator(sessions=180, clock="manual") as running:
        while len(running.world.order) < 520:
            running.advance(600)
        yield running


def afford(account: Account, rate: float, tokens: float) -> None:
    """The account's budget, as if it had been learned."""
    now = time.time()
    learned = {"rate": rate, "ceiling": rate, "tokens": tokens, "at": now, "limited_at": now - 1}
    redis_client().hset(key_of(account.pk), mapping=learned)


def imported(sim) -> Account:
    account = swept(account_of(sim))
    while account.reconciled_at is None:
        account = swept(account)
    Account.objects.update(next_reconcile_at=timezone.now() + timedelta(hours=1))
    return account


# ---- sweeps ----------------------------------------------------------------------------------------


def test_a_sweep_ends_where_its_budget_ends_and_claims_no_more_than_it_read(large):
    account = imported(large)
    before, began = account.last_read_at, timezone.now()
    live = AgentSession.objects.filter(is_live=True).count()
    afford(account, 0.05, 1.1)  # the next is further off than a sweep waits
    large.requests.clear()
    account = swept(account)
    assert len(large.requests) == 1, "page 1, and no more"
    assert not account.error_kind and account.failing_since is None and account.lease_until is None
    assert before <= account.last_read_at < began, "the other pages were not read"
    read = ages.known(account.pk, AgentSession.objects.filter(is_live=True).values_list("uuid", flat=True))
    newer = [uuid for uuid, moment in read.items() if moment >= began]
    assert 0 < len(newer) < live
    assert account.shortage["needed_per_s"] > account.shortage["budget_per_s"] == 0.05
    assert account.shortage["ages_s"]["running"] > 3


def test_what_was_left_out_comes_first_next_time_and_the_shortage_ends(large):
    account = imported(large)
    afford(account, 0.5, 1.6)
    account = swept(account)
    before = account.last_read_at
    afford(account, 50, 50)
    account = swept(account)
    assert account.last_read_at > before and account.shortage == {}
    assert account.resting_read_at > before


def test_with_nothing_left_nobody_is_asked_and_nothing_is_said_to_fail(sim):
    sim.running_session()
    account = swept(account_of(sim))
    before = account.last_read_at
    afford(account, 0.2, -1.0)
    sim.requests.clear()
    account = swept(account)
    assert not sim.requests and account.last_read_at == before
    assert not account.failing_since and account.lease_until is None and pause_s(account) > 0.3


def test_a_429_in_the_middle_keeps_what_was_read(large):
    account = imported(large)
    large.advance(30)
    before, began = account.last_read_at, timezone.now()
    large.faults.set("throttle=0.01,retry_after=300")  # page 1 comes through, and nothing else
    account = swept(account)
    assert not account.error_kind and before <= account.last_read_at < began
    assert 200 < pause_s(account) <= 301
    assert account.shortage["paused_until"] > time.time() + 200
    assert AgentSession.objects.filter(version__gt=1).exists()


def test_idle_sessions_that_stand_alone_are_not_read_each_time(sim):
    running, idle = sim.running_session(), sim.running_session()
    sim.force(idle.id, status="idle")
    account = swept(account_of(sim))
    sim.world.order.clear()  # out of the list: both must be read alone
    sim.requests.clear()
    account = swept(account)
    assert sim.calls("GET", f"/sessions/{running.id}") == 1
    assert sim.calls("GET", f"/sessions/{idle.id}") == 0
    long_ago = timezone.now() - timedelta(seconds=13)
    redis_client().delete(f"ages:read:{account.pk}")
    ages.note(account.pk, {row_of(idle).uuid: long_ago})
    account = swept(account)
    assert sim.calls("GET", f"/sessions/{idle.id}") == 1
    assert account.resting_read_at > long_ago


def test_without_redis_sweeps_go_on_by_guess(sim, settings):
    upstream = sim.running_session()
    account = swept(account_of(sim))
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    sim.advance(30)
    account = swept(account)
    assert not account.error_kind and row_of(upstream).version == 2
    assert client_of(account, "stop").stop(row_of(upstream).uuid, Strategy.TASK)


# ---- many at once ----------------------------------------------------------------------------------


def test_workers_together_stay_within_what_the_vendor_gives(sim):
    """Two threads ask as fast as they may; the vendor refuses the first time, and hardly ever after that."""
    account = account_of(sim)
    sim.faults.set("throttle=10,retry_after=1")
    until = time.monotonic() + 6
    answered: list[float] = []
    refused: list[float] = []

    def work() -> None:
        client = client_of(account)
        while time.monotonic() < until:
            try:
                client.session_page(1)
                answered.append(time.monotonic())
            except OverBudget as error:
                time.sleep(min(error.retry_in_s, 0.5))
            except RateLimited:
                refused.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answered) <= 10 * 6 + 10
    assert len(refused) <= 12
    assert sum(1 for moment in answered if moment > until - 3), "and it goes on"


def test_a_stop_leaves_while_polling_starves(sim):
    upstream = sim.running_session()
    account = swept(account_of(sim))
    budget_of(account.pk).refused(300)
    with pytest.raises(OverBudget):
        client_of(account).session_page(1)
    began = time.monotonic()
    answer = client_of(account, "stop").stop(row_of(upstream).uuid, Strategy.TASK)
    assert answer.session.uuid == row_of(upstream).uuid
    assert time.monotonic() - began < 2


# ---- said ------------------------------------------------------------------------------------------


def test_the_banner_says_it_with_numbers():
    make_account(name="Production", shortage=SHORT)
    told = _text(pulse.rendered(Sight()).decode())
    assert "Slower than it should be" in told
    assert "lets us ask 2.0 times a second, and it takes 5.3" in told
    assert "running are read every 8 s instead of 3 s" in told
    assert "idle and starting are read every 61 s instead of 15 s" in told
    assert "open are read" not in told


def test_a_pause_is_said_while_it_lasts():
    account = make_account(shortage={"paused_until": time.time() + 60})
    assert "asks us to pause until" in _text(pulse.rendered(Sight()).decode())
    account.shortage = {"paused_until": time.time() - 1}
    account.save()
    assert "pause" not in _text(pulse.rendered(Sight()).decode())


def test_a_shortage_that_makes_nothing_older_by_a_second_is_for_the_settings_only():
    ages = {"opened": 1.1, "running": 3.3, "resting": 15.2}
    make_account(shortage={"needed_per_s": 1.3, "budget_per_s": 1.2, "ages_s": ages})
    assert "Slower" not in pulse.rendered(Sight()).decode()
    short = health.parts()["polling"]["accounts"][0]["shortage"]
    assert short["needed_per_s"] == 1.3 and "instead of" not in short["words"]


def test_without_a_shortage_there_is_no_word_of_it():
    make_account()
    assert "Slower" not in pulse.rendered(Sight()).decode()


def test_many_short_accounts_do_not_cover_the_floor():
    for number in range(5):
        make_account(name=f"No {number}", shortage=SHORT)
    told = _text(pulse.rendered(Sight()).decode())
    assert told.count("Slower than it should be") == 2 and "5 accounts are read more slowly" in told


def test_to_be_asked_to_slow_down_is_no_failure_while_what_is_shown_is_current():
    now = timezone.now()
    account = make_account(failing_since=now, error_kind="rate_limited", failures=1, last_read_at=now)
    assert pulse.state_of(account, now) == pulse.OK
    assert pulse.state_of(account, now + timedelta(seconds=16)) == pulse.FAILING


def test_what_rests_says_its_own_age_when_it_lags():
    now = timezone.now()
    make_account(last_read_at=now, resting_read_at=now - timedelta(seconds=40))
    assert re.search(r"read \S+ \S+ UTC ?, idle", _text(pulse.rendered(Sight()).decode()))


def test_machines_are_told_too(client):
    account = make_account(slug="prod", shortage=SHORT)
    budget_of(account.pk).take(3, "live")
    budget_of(account.pk).refused(1)
    part = health.parts()["polling"]["accounts"][0]
    assert part["shortage"]["needed_per_s"] == 5.3 and part["shortage"]["ages_s"]["running"] == 8.4
    assert client.get("/readyz").json()["parts"]["polling"]["accounts"][0]["shortage"]["words"]
    found = {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").content.decode())
        for sample in family.samples
    }
    assert found["watchfloor_requests_total", "prod,live"] == 3
    assert found["watchfloor_rate_limited_total", "prod"] == 1
    assert found["watchfloor_budget_needed_per_second", "prod"] == 5.3
    assert found["watchfloor_budget_per_second", "prod"] < 20


def test_the_settings_page_has_the_numbers(client):
    account = make_account(slug="prod", name="Production", shortage=SHORT)
    budget_of(account.pk).take(3, "live")
    budget_of(account.pk).refused(1)
    client.force_login(User.objects.create_superuser("ada"))
    told = _text(client.get("/settings/").content.decode())
    assert "Requests" in told and "it takes 5.3 a second" in told
    assert "running are read every 8 s instead of 3 s" in told


def _text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_who_was_found_is_not_looked_for_again(large):
    """A sweep that ended early has found the new ones on page 1: the next one must not think that they are elsewhere."""
    account = imported(large)
    before = account.sessions_upstream
    for _ in range(3):
        large.running_session()
    afford(account, 0.05, 1.1)
    account = swept(account)
    assert account.shortage and account.sessions_upstream == before + 3
